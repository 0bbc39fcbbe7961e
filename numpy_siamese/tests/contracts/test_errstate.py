"""`np.errstate(all="raise")` changes no bit: only what spoils a result is reported."""

import inspect
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import numpy as np
import pytest

from numpy_siamese import functional as F
from numpy_siamese._fma import fma
from numpy_siamese.data.dataset import gather
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.evaluation.verification import accuracy
from numpy_siamese.functional._operation import operation
from numpy_siamese.inference import embed_images, pair_probabilities
from numpy_siamese.initialization import manual_seed, uniform
from numpy_siamese.model import SiameseNet
from numpy_siamese.optim import SGD
from numpy_siamese.tests.contracts.arguments import DIGITS
from numpy_siamese.tests.contracts.array_calls import operations
from numpy_siamese.tests.contracts.impostors import refusal
from numpy_siamese.training import loss_and_gradients

Array = np.ndarray

TINY = {np.float32: 1e-25, np.float64: 1e-200}
"""Numbers whose squares are below the smallest of their dtype."""

EXTREMES: dict[str, list[float]] = {
    "probs": [0, 1, 0.5, 1e-30, 1e-38],
    "target": [0, 1, 1e-30, 0.25, 1e-38],
    "logits": [-1000, 1000, -95, 95, 1e-30],
    "sigmoid": [-1000, 1000, -95, 95, 1e-30],
}
"""What saturates, or underflows in an exponential; all else is TINY."""

EXACT = ("max_pool2d", "relu", "l1_distance")
"""Operations in which nothing is rounded to zero."""

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)


def extreme(name: str, arguments: dict[str, Any], dtype: Any) -> dict[str, Any]:
    """Return arguments of an operation that underflow, overflow in e⁻ˣ, and divide by zero."""
    found = {}
    for argument, value in arguments.items():
        if "n_pair_loss" in name:
            value = np.resize(EXTREMES["logits"], value.shape) if argument == "logits" else value
            value = value.astype(dtype)
        elif isinstance(value, Array):
            values = EXTREMES.get(argument) or EXTREMES.get(name.split(".")[1])
            value = np.array(values, dtype) if values else value.astype(dtype) * dtype(TINY[dtype])
        found[argument] = value
    return found


def results(function, arguments) -> list:
    """Return output and gradients; the pullback runs in another thread, of the same errstate."""
    y, pullback = function(**arguments)
    dy = np.full(y.shape, TINY[y.dtype.type], y.dtype)
    with ThreadPoolExecutor(1) as other:
        return [y, *other.submit(copy_context().run, pullback, dy).result()]


def assert_nothing_is_reported(call) -> None:
    """Check that a call gives the same bits whether errors of arithmetic are raised or ignored."""
    with np.errstate(all="ignore"):
        expected = call()
    with np.errstate(all="raise"):
        found = call()
    for a, b in zip(found, expected, strict=True):
        if b is not None:
            np.testing.assert_array_equal(a, b, strict=True)
            assert bits(a) == bits(b)


def bits(value) -> bytes:
    """Return the bits of an array, all NaNs alike.

    Which of two NaNs a sum of Python's floats takes is not the same in code that has become warm.
    """
    return np.where(np.isnan(value), np.nan, value).tobytes()


@every_dtype
@pytest.mark.parametrize("name", dict(operations()))
def test_an_operation_reports_nothing_of_a_right_result(name, dtype):
    """Broken otherwise: a user who looks for NaN with `np.errstate` is stopped by e⁻¹⁰⁰."""
    function, arguments = dict(operations())[name]
    arguments = extreme(name, arguments, dtype)
    assert_nothing_is_reported(lambda: results(function, arguments))
    if "definitions" not in name and name.split(".")[1] not in EXACT:
        bare = inspect.unwrap(function)
        with pytest.raises(FloatingPointError), np.errstate(all="raise", over="ignore"):
            results(bare, arguments)


@every_dtype
@pytest.mark.parametrize("value", [np.nan, 0.0])
@pytest.mark.parametrize("name", dict(operations()))
def test_no_operation_reports_a_nan_that_comes_in(name, value, dtype):
    """Broken otherwise: NaN, which goes through, raises where NumPy itself does not."""
    function, arguments = dict(operations())[name]
    if "cross_entropy" in name and "logits" not in name and np.isnan(value):
        return  # refused
    arguments = {
        argument: v.astype(dtype)
        if "n_pair_loss" in name and argument == "target"  # 0 and NaN are refused
        else np.full(v.shape, value, dtype)
        if isinstance(v, Array)
        else v
        for argument, v in arguments.items()
    }
    assert_nothing_is_reported(lambda: results(function, arguments))


@every_dtype
def test_a_nan_beside_it_makes_no_right_value_an_error(dtype):
    """Broken otherwise: a NaN in a batch has e¹⁰⁰⁰ reported, whose limit is right."""
    x = np.array([np.nan, -1000, 1000], dtype)
    assert_nothing_is_reported(lambda: results(F.sigmoid, {"x": x}))


def test_what_spoils_a_result_is_reported():
    """Broken otherwise: `np.errstate` finds no overflow and no ∞ − ∞ any more."""
    huge, infinite = np.full((1, 2), 1e200), np.full(2, np.inf)
    image, kernel = np.full((1, 1, 2, 2), 1e200), np.full((1, 1, 2, 2), 1e200)
    spoilt = {
        "linear": lambda: F.linear(huge, huge),
        "its pullback": lambda: F.linear(huge, huge * 0)[1](np.full((1, 1), 1e200)),
        "conv2d": lambda: F.conv2d(image, kernel),
        "l1_distance": lambda: F.l1_distance(infinite, infinite),
        "logits": lambda: F.binary_cross_entropy_with_logits(infinite, np.ones(2)),
        "fma": lambda: fma(1e200, huge, huge),
        "step": lambda: SGD({"a": np.ones(1)}, 1e200).step({"a": np.full(1, 1e200)}),
    }
    for name, call in spoilt.items():
        with np.errstate(all="ignore"):
            call()
        with np.errstate(all="raise"):
            assert refusal(call, FloatingPointError) is None, name


def test_a_flag_that_no_result_shows_is_not_reported():
    """Broken otherwise: where a BLAS kernel computes ∞ − ∞ in unused lanes, right results raise."""
    infinite, huge = np.full(1, np.inf), np.full(1, 1e308)

    def twice(x: Array, spoil: bool) -> Array:
        unused = infinite - infinite, huge * 10
        found = 2 * x
        found[:1] += unused[0] if spoil else 0  # one element of several
        return found

    @operation
    def double(x: Array, spoil: bool) -> tuple[Array, Any]:
        return twice(x, spoil), lambda dy, spoil: (twice(dy, spoil),)

    for strict in ("raise", "warn"):
        with np.errstate(all=strict):
            y, pullback = double(np.ones(2), spoil=False)
            assert (y == 2).all()
            assert (pullback(y, spoil=False)[0] == 4).all()
    with np.errstate(all="raise"):
        with pytest.raises(FloatingPointError, match="invalid value encountered in subtract"):
            double(np.ones(2), spoil=True)
        with pytest.raises(FloatingPointError, match="invalid value encountered in subtract"):
            pullback(y, spoil=True)


def test_losses_of_nothing_report_nothing():
    """Broken otherwise: the mean of an empty batch, NaN as in torch, raises."""
    for loss in (F.binary_cross_entropy, F.binary_cross_entropy_with_logits):
        with np.errstate(all="raise"):
            y, pullback = loss(np.ones((0, 1)), np.ones((0, 1)))
            assert np.isnan(y)
            assert pullback(1.0)[0].shape == (0, 1)


@every_dtype
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_fma_reports_no_underflow(dtype, scale):
    """Broken otherwise: error terms, which are below the numbers that they belong to, raise."""
    x = np.array([1, -1, 1 / 3, 0, 1e-18, -1e-18, np.nan, np.inf], dtype) * dtype(scale)
    y = np.array([1e-30, 1, -1 / 9, 1e-38, 0, 1e-36, 1, 1], dtype)
    assert_nothing_is_reported(
        lambda: [fma(a, x, v) for a in (1 / 3, -1e-30, 1e-19) for v in (y, 0.5, 1e-30)]
    )


@every_dtype
@pytest.mark.parametrize("nesterov", [True, False])
def test_sgd_reports_no_underflow(nesterov, dtype):
    """Broken otherwise: a gradient that fades away ends a run."""

    def descend():
        parameters = {"a": np.array([1, TINY[dtype], 0, -1e-18], dtype)}
        options = {"momentum": 1e-18, "weight_decay": 1e-10, "nesterov": nesterov}
        optimizer = SGD(parameters, 1e-18, dampening=0 if nesterov else 0.5, **options)
        for _ in range(3):
            optimizer.step({"a": np.array([1e-18, TINY[dtype], 1e-30, -1e-18], dtype)})
        return [parameters["a"], *optimizer.momentum_buffers.values()]

    assert_nothing_is_reported(descend)


@every_dtype
@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("scale", [1.0, 1e-12, 30.0])
def test_a_step_reports_no_underflow(scale, threads, dtype):
    """Broken otherwise: training stops where weights are small or probabilities saturate."""
    left_index, right_index, targets = PairSampler(DIGITS.labels, 4, 0).batch(0, 0)
    targets = np.where(targets == 1, 1, 1e-60)

    def step():
        net = SiameseNet(0, dtype)
        for parameter in net.parameters().values():
            parameter *= dtype(scale)
        optimizer = SGD(net.parameters(), 1e-6, 0.1, weight_decay=1e-30)
        left, right = (gather(DIGITS.images, i, dtype) for i in (left_index, right_index))
        loss, probs, grads = loss_and_gradients(net, left, right, targets, threads, 2)
        optimizer.step(grads)
        dleft, dright = net(left, right)[1](np.full((4, 1), TINY[dtype], dtype))[1]
        return [np.array(loss), probs, dleft, dright, *grads.values(), *net.parameters().values()]

    assert_nothing_is_reported(step)


@pytest.mark.parametrize(("dtype", "logit"), [(np.float32, -88.5), (np.float64, -709.5)])
def test_a_loss_next_to_nothing_is_not_reported(dtype, logit):
    """Broken otherwise: a batch of certain and right verdicts ends in an error."""
    net, images = SiameseNet(0, dtype), gather(DIGITS.images, [0, 1, 2], dtype)
    net.parameters()["fc1.weight"][...] *= dtype(1e-2)
    net.parameters()["fc1.bias"][...] = logit

    def step():
        loss, probs, grads = loss_and_gradients(net, images, images[::-1], np.zeros((3, 1)), 1)
        return [np.array(loss), probs, *grads.values()]

    assert 0 < step()[0] < np.finfo(dtype).smallest_normal
    assert_nothing_is_reported(step)


@every_dtype
def test_inference_initialization_and_pairs_report_nothing(dtype):
    """Broken otherwise: a network cannot be built, or used, under a strict `np.errstate`."""

    def everything():
        net = SiameseNet(3, dtype)
        for parameter in net.parameters().values():
            parameter *= dtype(1e-12)
        pairs = PairSampler(DIGITS.labels, 6, 1).batch(0, 0)
        probs = pair_probabilities(net, DIGITS.images, *pairs[:2])
        drawn = uniform(manual_seed(0), (50,), TINY[dtype], 1e-18, dtype)
        verdicts = np.array(accuracy(probs, np.where(pairs[2] == 1, 1, 1e-320)))
        return [embed_images(net, DIGITS.images), probs, drawn, verdicts, *pairs]

    assert_nothing_is_reported(everything)


def test_a_spoilt_result_reports_only_what_spoils_it():
    """Broken otherwise: beside an overflow the logarithm of 0 or e⁻¹⁰⁰⁰ is reported as well."""
    probs, target = np.array([1.0, 0.0]), np.array([1.0, 1.0])
    with np.errstate(divide="raise", under="raise", invalid="ignore"):
        loss, _ = F.binary_cross_entropy(probs, target, np.array([np.inf, 1.0]))
    assert np.isnan(loss)
    x = np.array([[1e-200, 0.0], [1e200, 0.0]])
    with np.errstate(under="raise", over="ignore"):
        y, _ = F.linear(x, x)
    assert y.tolist() == [[0.0, 1.0], [1.0, np.inf]]
