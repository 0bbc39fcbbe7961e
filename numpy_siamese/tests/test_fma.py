"""The fused multiply-add is rounded once, and its exact parts are exact."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numpy_siamese._fma import _sum_rounded_to_odd, _two_product, fma

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)


def spread(rng: np.random.Generator, size: int, dtype: type) -> np.ndarray:
    """Draw numbers of both signs over six orders of magnitude, zeros among them."""
    values = rng.standard_normal(size) * 10.0 ** rng.uniform(-3, 3, size)
    return (values * (rng.random(size) < 0.9)).astype(dtype)


def rounded_once(a: np.floating, x: np.floating, y: np.floating, fused: np.floating) -> bool:
    """Return whether `fused` is a·x + y rounded to nearest, in exact rational arithmetic."""
    exact = Fraction(float(a)) * Fraction(float(x)) + Fraction(float(y))
    dtype = type(fused)
    neighbours = fused, np.nextafter(fused, dtype(-np.inf)), np.nextafter(fused, dtype(np.inf))
    errors = [abs(Fraction(float(v)) - exact) for v in neighbours if np.isfinite(v)]
    return errors[0] == min(errors)


FMA_CASES = {"seed": st.integers(0, 2**32 - 1), "kind": st.integers(0, 3)}


@every_dtype
@given(**FMA_CASES)
def test_fma_rounds_once(dtype: type, seed: int, kind: int) -> None:
    """a·x + y has one rounding: of any size, near cancellation, far apart, among subnormals."""
    rng = np.random.default_rng(seed)
    x, y = spread(rng, 20, dtype), spread(rng, 20, dtype)
    a = dtype(rng.standard_normal())
    if kind == 1:
        y = -(x * a)
    elif kind == 2:
        y = x * dtype(2.0 ** int(rng.integers(20, 60)))
    elif kind == 3 and dtype == np.float32:
        a, x, y = a * dtype(2.0**-70), x * dtype(2.0**-72), y * dtype(2.0**-140)
    for x_i, y_i, fused in zip(x, y, fma(a, x, y), strict=True):
        assert rounded_once(a, x_i, y_i, fused)


@every_dtype
def test_fma_of_infinities_nan_and_overflow(dtype: Any) -> None:
    """What is not finite is what a·x + y gives; a float32 product may pass the float32 range."""
    most = np.finfo(dtype).max
    difference = most if dtype == np.float32 else np.inf  # 2·most − most
    x = np.array([np.inf, -np.inf, np.nan, most, most, 1, np.inf], dtype)
    y = np.array([1, 1, 1, most, -most, np.inf, -np.inf], dtype)
    expected = np.array([np.inf, -np.inf, np.nan, np.inf, difference, np.inf, np.nan], dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        assert np.array_equal(fma(dtype(2), x, y), expected, equal_nan=True)


@every_dtype
def test_fma_rounds_its_scalars_first(dtype: Any) -> None:
    """Scalars are numbers of x's dtype: 0.1 stands for the float next to it."""
    x = np.arange(1, 100, dtype=dtype)
    for y in (0.1, 0.2, 0.3, 0.7):
        expected = fma(dtype(0.1), x, np.full_like(x, y))
        assert np.array_equal(fma(0.1, x, y), expected)
        assert expected.dtype == dtype


@every_dtype
def test_fma_warns_of_nothing_of_its_own(dtype: Any) -> None:
    """∞ − ∞ inside the arithmetic of error terms is no news to the caller."""
    x, y = np.array([np.inf, -np.inf, 1], dtype), np.array([1, 2, np.inf], dtype)
    assert np.array_equal(fma(dtype(3), x, y), 3 * x + y)  # warnings are errors


def test_fma_next_to_a_tie_in_float64() -> None:
    """1 + 2⁻⁵² + 2⁻⁵³(1 − 2⁻¹⁰⁴) lies below a tie, which an error rounded to nearest would hit."""
    a = 2.0**-53 * (1 + 2.0**-52)
    x = np.array([1 - 2.0**-52, -(1 - 2.0**-52)])
    y = np.array([1 + 2.0**-52, -(1 + 2.0**-52)])
    assert (fma(a, x, y) == y).all()


@pytest.mark.parametrize("shift", [0, 40])
@pytest.mark.parametrize(
    ("scale", "y"),
    [(0, 1 + 2.0**-23), (-63, 2.0**-127 + 2.0**-149), (-63, 2.0**-126 - 2.0**-149)],
    ids=["normal", "subnormal", "largest subnormal"],
)
def test_fma_next_to_a_tie(scale: int, y: float, shift: int) -> None:
    """A product 2⁻ᵏ(1 − 2⁻⁴⁶) leaves y just below a tie, on which the float64 sum falls exactly.

    The last bit of y is 1, so the tie would be rounded away from it; 2⁻ᵏ is half that bit. Either
    factor may be the large one. Other numbers beside these change nothing.
    """
    a = np.float32(2.0 ** (scale - 12 - shift) * (1 + 2.0**-23))
    x = np.array([1 - 2.0**-23, -(1 - 2.0**-23)], np.float32) * np.float32(2.0 ** (scale - 12))
    x *= np.float32(2.0**shift)
    ys = np.float32(y) * np.sign(x)
    assert (fma(a, x, ys) == ys).all()
    for other in (0, -1, 2.0**-60, np.inf, np.nan):
        together = fma(a, np.append(x, np.float32(0)), np.append(ys, np.float32(other)))
        np.testing.assert_array_equal(together, np.append(ys, np.float32(other)))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_product_and_its_error_are_exact(seed: int) -> None:
    """p + e = a·x to the last bit: what Dekker's splitting into halves of 26 bits is for."""
    rng = np.random.default_rng(seed)
    a, x = np.float64(rng.standard_normal()), spread(rng, 50, np.float64)
    for x_i, p, e in zip(x, *_two_product(a, x), strict=True):
        assert Fraction(float(p)) + Fraction(float(e)) == Fraction(float(a)) * Fraction(float(x_i))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), apart=st.integers(0, 60))
def test_a_sum_rounded_to_odd(seed: int, apart: int) -> None:
    """Exact, or else that of the two enclosing numbers whose last bit is 1."""
    rng = np.random.default_rng(seed)
    x, y = spread(rng, 50, np.float64), spread(rng, 50, np.float64) * 2.0**-apart
    for x_i, y_i, odd in zip(x, y, _sum_rounded_to_odd(x, y), strict=True):
        exact = Fraction(float(x_i)) + Fraction(float(y_i))
        if exact == Fraction(float(x_i + y_i)):
            assert odd == x_i + y_i
            continue
        assert odd.view(np.int64) & 1 == 1
        below, above = (Fraction(float(np.nextafter(odd, end))) for end in (-np.inf, np.inf))
        assert below < exact < above


def test_no_warning_where_the_result_is_right() -> None:
    """Splitting a huge number overflows and an infinite one has no error; neither is told."""
    x, y = np.array([1e305, -1e305, np.inf]), np.ones(3)
    assert (fma(2.0, x, y) == [2e305, -2e305, np.inf]).all()


def test_what_is_no_array_is_named():
    """Broken otherwise: the refusal names another argument, or none."""
    with pytest.raises(TypeError, match=r"^x must be a numpy.ndarray, got list"):
        fma(2.0, [1.0], np.ones(1))


@every_dtype
def test_the_result_has_the_shape_of_the_arrays(dtype):
    """Broken otherwise: whoever adds it to a matrix gets another one, or an error."""
    x = np.ones((2, 3), dtype)
    assert fma(2.0, x, x).tolist() == [[3.0] * 3] * 2
