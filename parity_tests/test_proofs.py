"""Independent proofs: functional against definitions, adjoint identities, finite differences."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from numpy_siamese import definitions
from numpy_siamese import functional as F
from parity_tests.machinery import all_pairs, conv_relu_pool
from parity_tests.machinery.declaration import Case, Operation
from parity_tests.machinery.error_bounds import Allowance, gamma, same_bits
from parity_tests.machinery.harness import draw_arguments, draw_cotangent, gauges, numpy_results
from parity_tests.machinery.random_arrays import integers
from parity_tests.machinery.strategies import as_pair
from parity_tests.operations import BY_NAME, OPERATIONS, size

Array = np.ndarray

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)


def definable(operation: Operation, case: Case) -> Case | None:
    """Return the case as `definitions` takes it: a batch, pairs, no strings; None if it cannot."""
    shapes, options = case.shapes, dict(case.options)
    if operation.name in ("conv2d", "max_pool2d"):
        if len(shapes["x"]) != 4 or isinstance(options["padding"], str):
            return None
        for name in options.keys() - {"groups", "ceil_mode"}:
            if options[name] is not None:
                options[name] = as_pair(options[name])
    if operation.name == "linear" and (len(shapes["x"]) != 2 or len(shapes["weight"]) != 2):
        return None
    return Case(shapes, options, case.seed)


@every_operation
@settings(max_examples=25)
@given(data=st.data())
def test_functional_is_its_definition(operation: Operation, data: st.DataObject) -> None:
    """Plain loops straight from the equation give the same output and gradients."""
    case = data.draw(
        operation.cases.map(lambda case: definable(operation, case)).filter(lambda c: c is not None)
    )
    exact = operation.exact_on_integers
    draw = integers if exact else operation.draw
    arrays = draw_arguments(draw, case, np.float64)
    y, _ = operation.numpy(**arrays, **case.options)
    dy = draw_cotangent(draw, case, y)
    fast = numpy_results(operation, arrays, case.options, dy)
    y, pullback = getattr(definitions, operation.name)(**arrays, **case.options)
    slow = {"y": y}
    for name, grad in zip(operation.differentiable, pullback(dy), strict=True):
        if name in arrays:
            slow[f"d{name}"] = grad
    gauge = {} if exact else gauges(operation, arrays, case.options, dy)
    for name, value in fast.items():
        if exact:
            assert (value == slow[name]).all(), f"{operation.name} {name}"
            continue
        # the slope of the cross-entropy: p − t, 1 − p, two products, the quotient, w and 1/N
        n = operation.counts.get(name, lambda case, y: 7)(case, np.shape(y))
        bound = Allowance(n, gauge.get(name, abs(slow[name]))).of(np.float64)
        if name == "dprobs":  # the clamp, a float32 in torch, is 10⁻¹² in the definition
            bound = bound + abs(slow[name]) * 2.0**-24
        assert (abs(value - slow[name]) <= 2 * bound).all(), f"{operation.name} {name}"


@pytest.mark.parametrize(
    "operation", [o for o in OPERATIONS if o.name in ("conv2d", "linear")], ids=lambda o: o.name
)
@given(data=st.data())
def test_pullback_is_the_adjoint(operation: Operation, data: st.DataObject) -> None:
    """⟨dy, A v⟩ = ⟨Aᵀ dy, v⟩ in each argument of a multilinear operation, exactly on integers."""
    case = data.draw(operation.cases)
    arrays = draw_arguments(integers, case, np.float64)
    without_bias = {name: value for name, value in arrays.items() if name != "bias"}
    y, pullback = operation.numpy(**without_bias, **case.options)
    dy = draw_cotangent(integers, case, y)
    dx, dweight, _ = pullback(dy)
    forward = np.sum(dy * y)
    assert forward == np.sum(dx * arrays["x"]) == np.sum(dweight * arrays["weight"])


@given(data=st.data())
def test_max_pool2d_pullback_is_the_adjoint_of_its_selection(data: st.DataObject) -> None:
    """Max-pooling selects pixels: ⟨dy, y⟩ = ⟨dx, x⟩, exactly on integers."""
    operation = BY_NAME["max_pool2d"]
    case = data.draw(operation.cases)
    arrays = draw_arguments(integers, case, np.float64)
    y, pullback = F.max_pool2d(**arrays, **case.options)
    dy = draw_cotangent(integers, case, y)
    assert np.sum(dy * y) == np.sum(pullback(dy)[0] * arrays["x"])


def directional_slopes(
    function: Callable[[float], Array], dy: Array, step: float
) -> tuple[float, float]:
    """Return ⟨dy, f(h) − f(−h)⟩ / 2h at h = step and at step/2."""
    slopes = [float(np.sum(dy * (function(h) - function(-h)))) / (2 * h) for h in (step, step / 2)]
    return slopes[0], slopes[1]


@every_operation
@settings(max_examples=25)
@given(data=st.data())
def test_gradient_is_the_limit_of_differences(operation: Operation, data: st.DataObject) -> None:
    """Away from kinks, the slope along a random direction is that of finite differences.

    A central difference errs by c·h² + O(h⁴) plus rounding of at most 2·γ·Σ|dy f| / 2h. Halving h
    gives c·h²: the two differences are 3/4·c·h² apart, so the finer one errs by a third of that,
    and by as much again for the terms of fourth order.
    """
    case = data.draw(operation.cases)
    arrays = draw_arguments(operation.draw, case, np.float64)
    if operation.name == "binary_cross_entropy":  # away from the ends, where the clamp bends it
        arrays["probs"] = 0.1 + 0.8 * arrays["probs"]
    y, pullback = operation.numpy(**arrays, **case.options)
    dy = draw_cotangent(operation.draw, case, y)
    rng = np.random.default_rng([case.seed, 2])
    step = 2.0**-14
    for name, grad in zip(operation.differentiable, pullback(dy), strict=True):
        if grad is None:
            continue
        direction = rng.uniform(-1, 1, arrays[name].shape)
        if operation.name in KINKED:
            assume(away_from_kinks(operation, case, arrays, step))

        def along(h: float, name: str = name, direction: Array = direction) -> Array:
            moved = arrays | {name: arrays[name] + h * direction}
            return operation.numpy(**moved, **case.options)[0]

        coarse, fine = directional_slopes(along, dy, step)
        n = 64 + sum(size(shape) for shape in case.shapes.values()) + size(np.shape(y))
        # rounding: every value of the operation, and the sum over y, is good to γₙ of its gauge
        scale = np.sum(abs(dy) * largest_term(operation, arrays, case))
        rounding = 2 * gamma(n, 2.0**-53) * scale / step
        exact = float(np.sum(grad * direction))
        assert abs(fine - exact) <= 2 / 3 * abs(coarse - fine) + 4 * rounding


KINKED = ("relu", "l1_distance", "pairwise_l1_logits", "max_pool2d", "conv_relu_pool")


def away_from_kinks(operation: Operation, case: Case, arrays: dict, step: float) -> bool:
    """Return whether no branch can change while the arguments move by up to `step`."""
    if operation.name == "relu":
        return bool((abs(arrays["x"]) > 2 * step).all())
    if operation.name == "l1_distance":
        return bool((abs(arrays["left"] - arrays["right"]) > 4 * step).all())
    if operation.name == "pairwise_l1_logits":
        return bool((abs(arrays["left"][:, None] - arrays["right"]) > 4 * step).all())
    if operation.name == "conv_relu_pool":
        return not conv_relu_pool.close_calls(arrays, conv_relu_pool.change(arrays, 2 * step)).any()
    values = np.sort(arrays["x"], axis=None)
    return bool((np.diff(values) > 4 * step).all())


def largest_term(operation: Operation, arrays: dict, case: Case) -> Array | float:
    """Return a bound on the terms summed into an element of y."""
    if operation.name == "batch_norm":
        return (1 + max(np.max(abs(v)) for v in arrays.values())) ** 2 / np.sqrt(1e-5)
    if operation.name == "pairwise_l1_logits":
        return 1 + all_pairs.pairwise_gauge("y", arrays, np.zeros(()), {})
    if operation.name in ("conv2d", "linear", "conv_relu_pool"):
        absolute = {name: abs(value) + 1 for name, value in arrays.items()}
        return operation.numpy(**absolute, **case.options)[0]
    if "loss" in operation.name or "cross_entropy" in operation.name:
        terms = sum(size(shape) for shape in case.shapes.values())
        return 2.0 * terms * (1 + max(np.max(abs(v), initial=0) for v in arrays.values())) ** 3
    return 1 + max(np.max(abs(v), initial=0) for v in arrays.values())


def test_relu_and_max_pool_commute() -> None:
    """max(relu(x)) = relu(max(x)), values and gradients, ties at zero included."""
    rng = np.random.default_rng(0)
    x = rng.integers(-3, 3, (20, 3, 8, 8)).astype(np.float64)
    dy = rng.standard_normal((20, 3, 4, 4))
    a, relu_first = F.relu(x)
    a, then_pool = F.max_pool2d(a, 2)
    b, pool_first = F.max_pool2d(x, 2)
    b, then_relu = F.relu(b)
    assert same_bits(a, b).all()
    assert (relu_first(then_pool(dy)[0])[0] == pool_first(then_relu(dy)[0])[0]).all()
