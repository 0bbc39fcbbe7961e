"""SGD with every option over several steps: the same bits as torch.optim.SGD."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from numpy_siamese._fma import fma
from numpy_siamese.optim import SGD
from parity_tests.bounds import same_bits
from parity_tests.ledger import LEDGER

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)

RATE = st.sampled_from([0.0, 0.001, 0.1, 1.0]) | st.floats(1e-6, 2)


@st.composite
def options(draw: st.DrawFn) -> dict[str, Any]:
    """Draw every option of SGD, valid together."""
    nesterov = draw(st.booleans())
    return {
        "lr": draw(RATE),
        "momentum": draw(st.floats(0.01, 1)) if nesterov else draw(RATE),
        "dampening": 0.0 if nesterov else draw(RATE),
        "weight_decay": draw(RATE),
        "nesterov": nesterov,
        "maximize": draw(st.booleans()),
    }


def spread(rng: np.random.Generator, size: int, dtype: type) -> np.ndarray:
    """Draw numbers of both signs over six orders of magnitude, zeros among them."""
    values = rng.standard_normal(size) * 10.0 ** rng.uniform(-3, 3, size)
    return (values * (rng.random(size) < 0.9)).astype(dtype)


@every_dtype
@given(kwargs=options(), seed=st.integers(0, 2**32 - 1), size=st.integers(0, 70))
def test_sgd(dtype: type, kwargs: dict[str, Any], seed: int, size: int) -> None:
    """Five steps, the third without one of the gradients, leave the same bits in both."""
    rng = np.random.default_rng(seed)
    ours = {"a": spread(rng, size, dtype), "b": spread(rng, 3, dtype)}
    theirs = {name: torch.tensor(value, requires_grad=True) for name, value in ours.items()}
    optimizer, oracle = SGD(ours, **kwargs), torch.optim.SGD(theirs.values(), **kwargs)
    for step in range(5):
        grads = {name: spread(rng, len(p), dtype) for name, p in ours.items()}
        if step == 2:
            grads["b"] = None
        for name, tensor in theirs.items():
            tensor.grad = None if grads[name] is None else torch.tensor(grads[name])
        optimizer.step(grads)
        oracle.step()
        for name, value in ours.items():
            LEDGER.exact("SGD", "parameter", value, theirs[name].detach().numpy())
            buffer = oracle.state[theirs[name]].get("momentum_buffer")
            if buffer is not None:
                LEDGER.exact("SGD", "buffer", optimizer.momentum_buffers[name], buffer.numpy())


@pytest.mark.parametrize(
    "kwargs",
    [
        {"lr": -1},
        {"lr": float("nan")},
        {"lr": 1, "momentum": -1},
        {"lr": 1, "weight_decay": -1},
        {"lr": 1, "nesterov": True},
        {"lr": 1, "nesterov": True, "momentum": 0.9, "dampening": 0.1},
    ],
)
def test_sgd_refuses_what_makes_no_sense(kwargs: dict[str, Any]) -> None:
    """Negative rates, and Nesterov without momentum or with dampening, raise."""
    with pytest.raises(ValueError, match=r"at least|nesterov"):
        SGD({}, **kwargs)


def test_a_bad_gradient_changes_nothing() -> None:
    """Wrong names, shapes and dtypes raise before any parameter is touched."""
    parameters = {"a": np.ones(3, np.float32), "b": np.ones(3, np.float32)}
    good = np.ones(3, np.float32)
    for bad, error in (
        ({"a": good, "c": good}, KeyError),
        ({"a": good, "b": np.ones(4, np.float32)}, ValueError),
        ({"a": good, "b": np.ones(3)}, TypeError),
    ):
        with pytest.raises(error):
            SGD(parameters, 1).step(bad)
        assert (parameters["a"] == 1).all()


def rounded_once(a: np.floating, x: np.floating, y: np.floating, fused: np.floating) -> bool:
    """Return whether `fused` is a·x + y rounded to nearest, in exact rational arithmetic."""
    exact = Fraction(float(a)) * Fraction(float(x)) + Fraction(float(y))
    dtype = type(fused)
    neighbours = fused, np.nextafter(fused, dtype(-np.inf)), np.nextafter(fused, dtype(np.inf))
    errors = [abs(Fraction(float(v)) - exact) for v in neighbours if np.isfinite(v)]
    return errors[0] == min(errors)


@every_dtype
@given(seed=st.integers(0, 2**32 - 1), a=st.floats(-2, 2, width=32), kind=st.integers(0, 3))
def test_fma_rounds_once(dtype: type, seed: int, a: float, kind: int) -> None:
    """a·x + y has one rounding: of any size, near cancellation, far apart, among subnormals."""
    rng = np.random.default_rng(seed)
    x, y, a = spread(rng, 20, dtype), spread(rng, 20, dtype), dtype(a)
    if kind == 1:
        y = -(x * a)
    elif kind == 2:
        y = x * dtype(2.0 ** int(rng.integers(20, 60)))
    elif kind == 3 and dtype == np.float32:
        a, x, y = a * dtype(2.0**-70), x * dtype(2.0**-72), y * dtype(2.0**-140)
    for x_i, y_i, fused in zip(x, y, fma(a, x, y), strict=True):
        assert rounded_once(a, x_i, y_i, fused)


@every_dtype
def test_fma_of_infinities_nan_and_overflow(dtype: type) -> None:
    """What is not finite is what a·x + y gives; a float32 product may pass the float32 range."""
    most = np.finfo(dtype).max
    difference = most if dtype == np.float32 else np.inf  # 2·most − most
    x = np.array([np.inf, -np.inf, np.nan, most, most, 1, np.inf], dtype)
    y = np.array([1, 1, 1, most, -most, np.inf, -np.inf], dtype)
    expected = np.array([np.inf, -np.inf, np.nan, np.inf, difference, np.inf, np.nan], dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        assert same_bits(fma(dtype(2), x, y), expected).all()


def test_fma_next_to_a_tie_in_float64() -> None:
    """1 + 2⁻⁵² + 2⁻⁵³(1 − 2⁻¹⁰⁴) lies below a tie, which an error rounded to nearest would hit."""
    a = 2.0**-53 * (1 + 2.0**-52)
    x = np.array([1 - 2.0**-52, -(1 - 2.0**-52)])
    y = np.array([1 + 2.0**-52, -(1 + 2.0**-52)])
    assert same_bits(fma(a, x, y), y).all()


@pytest.mark.parametrize("scale", [0, -63], ids=["normal", "subnormal"])
def test_fma_next_to_a_tie(scale: int) -> None:
    """A product 2⁻ᵏ(1 − 2⁻⁴⁶) leaves y just below a tie, on which the float64 sum falls exactly.

    With y = 1 + 2⁻²³ and k = 24, and among subnormals with y = 2⁻¹²⁷ + 2⁻¹⁴⁹ and k = 150.
    """
    a = np.float32(2.0 ** (scale - 12) * (1 + 2.0**-23))
    x = np.array([1 - 2.0**-23, -(1 - 2.0**-23)], np.float32) * np.float32(2.0 ** (scale - 12))
    y = np.float32(1 + 2.0**-23 if scale == 0 else 2.0**-127 + 2.0**-149) * np.sign(x)
    assert same_bits(fma(a, x, y), y).all()
