"""The fused multiply-add, correctly rounded, for NumPy arrays.

PyTorch's vectorised kernels (AVX2 and wider, and CUDA) evaluate a·x + y with one rounding instead
of two. NumPy has no such operation, and without it initial weights and updates would differ by that
rounding. Here the exact a·x + y is held as an unevaluated sum and rounded once.

References
----------
S. Boldo and G. Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms using
rounding to odd", IEEE Transactions on Computers 57(4), 2008.
"""

from typing import Any

import numpy as np

from numpy_siamese import _arguments, _arrays

Array = np.ndarray

BLOCK = 2**16
"""Elements worked on at a time: few enough for the float64 intermediates to stay in cache."""

SMALLEST_NORMAL = np.finfo(np.float32).smallest_normal

NO_SUBNORMAL_SUMS = np.float32(2.0**-60)
"""The least |y| that excludes subnormal sums a·x + y other than zero."""

HALFWAY = -(2**63)
"""The 29 bits that float32 lacks of a float64, a one and then zeros, as the first of an int64."""


def fma(a: Any, x: Array, y: Any) -> Array:
    """Return a·x + y rounded once, in x's dtype.

    Parameters
    ----------
    a : scalar, rounded to x's dtype first
    x, y : float32 or float64 arrays of one dtype; y may be a Python number, or broadcast to x

    Raises
    ------
    TypeError, ValueError
        No such scalar or arrays; a shape of y that does not broadcast to that of x.

    Notes
    -----
    For float64, |a·x| and |a|, |x| must stay below 2⁹⁹⁵, since a splitting multiplies by 2²⁷ + 1. A
    nonzero |a·x| must stay above 2⁻⁹⁶⁸, since its error term must be representable. Outside, the
    last bit may be that of the two-rounding result. A result that is zero or not finite is that of
    a·x + y, which has the right sign and kind.
    """
    x = _arrays.array("x", x)
    if type(y) in (int, float):
        y = _arrays.beside(x, x.dtype.type(y), "y", "x")
    x, y = _arrays.floats(x=x, y=y)
    _arguments.broadcasts_to(x.shape, y=y)
    a = _arguments.number("a", a)
    whole_y = y if y.shape == x.shape else np.broadcast_to(y, x.shape)
    flat_x, flat_y = x.ravel(), whole_y.ravel()
    fused, scratch = np.empty_like(flat_x), Scratch(flat_x)
    with np.errstate(under="ignore"):  # what is rounded to zero is rounded right
        for start in range(0, x.size, BLOCK):
            block = slice(start, start + BLOCK)
            fma_block(a, flat_x[block], flat_y[block], fused[block], scratch)
    return fused.reshape(x.shape)


class Scratch:
    """Memory for the intermediates of a block of NumPy's float32 numbers; others take their own.

    Parameters
    ----------
    like : array of the numbers' kind, dtype and at least their count
    """

    def __init__(self, like: Array) -> None:
        needed = _arrays.library(like) is np.ndarray and like.dtype == np.float32
        size = min(BLOCK, like.size) if needed else 0
        self.doubles = np.empty((2, size))
        self.singles = np.empty(size, np.float32)


def fma_block(a: float, x: Array, y: Array, out: Array, scratch: Scratch) -> None:
    """Write a·x + y rounded once into `out`, which may be x or y; unchecked.

    Parameters
    ----------
    a : rounded to x's dtype first
    x, y, out : (n,) with n ≤ BLOCK, of one dtype
    """
    factor = x.dtype.type(a)
    if factor == 1:
        np.add(x, y, out=out)
    else:
        fma_of_arrays(factor, x, y, out, scratch)


def fma_of_arrays(a: Any, x: Array, y: Array, out: Array, scratch: Scratch) -> None:
    """Write a·x + y rounded once into `out`, which may be any of them; unchecked.

    Parameters
    ----------
    a : scalar or (n,), of x's dtype
    x, y, out : (n,) with n ≤ BLOCK, of one dtype
    """
    if x.dtype != np.float32:
        out[...] = _fma_float64(a, x, y)
    elif _arrays.library(x) is np.ndarray:
        _fma_float32(a, x, y, out, scratch)
    else:
        out[...] = _fma_float32_throughout(a, x, y)


def _fma_float32(a: Any, x: Array, y: Array, out: Array, scratch: Scratch) -> None:
    """Use that a product of two float32 numbers, 24 + 24 bits, is exact in float64.

    The sum is rounded to 53 bits and then to 24. The first rounding can only mislead the second
    when it lands halfway between two float32 numbers, or where these are subnormal. The few sums
    of this kind are rounded to odd. No sum is subnormal where all |y| are at least 2⁻⁶⁰: a·x and y
    are multiples of 2⁻¹⁰⁹ if they are of one size, and otherwise do not cancel.
    """
    total, spare = scratch.doubles[:, : x.size]
    np.copyto(total, x)
    np.multiply(total, a, out=total)
    np.copyto(spare, y)
    np.add(total, spare, out=total)
    lacking = np.left_shift(total.view(np.int64), 35, out=spare.view(np.int64))
    size = np.abs(y, out=scratch.singles[: x.size])
    if lacking.min() > HALFWAY and size.min() >= NO_SUBNORMAL_SUMS:
        np.copyto(out, total)
        return
    fused = total.astype(np.float32)
    doubtful = (lacking == HALFWAY) | (abs(fused) <= SMALLEST_NORMAL)
    doubtful &= total != 0  # which is exact
    factor = a[doubtful] if a.ndim else a
    product = x[doubtful].astype(np.float64) * factor
    exact = _sum_rounded_to_odd(product, y[doubtful].astype(np.float64))
    fused[doubtful] = exact.astype(np.float32)
    out[...] = fused


def _fma_float32_throughout(a: Any, x: Array, y: Array) -> Array:
    """Round every sum to odd, as `_fma_float32` does with few. The bits are the same.

    This is for arrays of another library. To pick the few would be to wait for its device.
    """
    product = x.astype(np.float64) * a
    return _sum_rounded_to_odd(product, y.astype(np.float64)).astype(np.float32)


def _fma_float64(a: Any, x: Array, y: Array) -> Array:
    """Hold the exact a·x + y as a sum of three float64 numbers, and round it once."""
    high, low = _two_product(a, x)
    tail, error = _two_sum(y, low)
    head, middle = _two_sum(high, tail)
    fused = head + _sum_rounded_to_odd(middle, error)
    return np.where(np.isfinite(fused) & (fused != 0), fused, a * x + y)


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Return s = fl(a + b) and its rounding error, a + b = s + e exactly (Knuth)."""
    with np.errstate(invalid="ignore"):  # ∞ − ∞ in the error of an infinite sum
        total = a + b
        b_part = total - a
        return total, (a - (total - b_part)) + (b - b_part)


def _two_product(a: Any, x: Array) -> tuple[Array, Array]:
    """Return p = fl(a·x) and its rounding error, a·x = p + e exactly (Dekker, Veltkamp)."""
    with np.errstate(invalid="ignore", over="ignore"):
        product = a * x
        a_high, a_low = _split(a)
        x_high, x_low = _split(x)
        error = ((a_high * x_high - product) + a_high * x_low + a_low * x_high) + a_low * x_low
    return product, error


def _split(x: Any) -> tuple[Any, Any]:
    """Return halves of 26 bits each that add up to the float64 x."""
    shifted = x * (2.0**27 + 1)
    high = shifted - (shifted - x)
    return high, x - high


def _sum_rounded_to_odd(a: Array, b: Array) -> Array:
    """Return a + b in float64: exact, or else that neighbour whose last bit is 1.

    A later rounding to fewer bits then gives what rounding a + b directly would have given.
    """
    total, error = _two_sum(a, b)
    bits = total.view(np.int64)
    even_inexact = (error != 0) & (bits & 1 == 0) & np.isfinite(total)
    outward = (error > 0) == (total > 0)  # is the exact sum farther from zero than the total?
    return (bits + even_inexact * np.where(outward, 1, -1)).view(np.float64)
