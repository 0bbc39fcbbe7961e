"""Grades of identity, and the rounding-error analysis behind them.

exact      equal bit for bit, the sign of a zero included; a NaN equals a NaN
bounded    |computed − exact| ≤ γₙ·G for each element, with γₙ = n·u/(1 − n·u), u the unit
           roundoff, n the number of rounded operations behind the element, and the gauge G the
           same operation on absolute values (Higham, *Accuracy and Stability of Numerical
           Algorithms*, ch. 3)
explained  within a radius that a running error analysis of the whole network gives
           (`ball_arithmetic`)

No tolerance here is chosen: it is zero, or follows from u, n and the data.
"""

from dataclasses import dataclass

import numpy as np

Array = np.ndarray

EXACT = "exact"
BOUNDED = "bounded"
EXPLAINED = "explained"

LIBRARY_ERROR = 8
"""Roundings that one exp, log or log1p counts for: NumPy's and PyTorch's vector libraries (SVML,
Sleef) stay below 4 ulp, and an ulp is at most 2·u of its number."""


def unit_roundoff(dtype: np.dtype | type) -> float:
    """Return u = ε/2: 2⁻²⁴ for float32, 2⁻⁵³ for float64."""
    return float(np.finfo(dtype).eps) / 2


def gamma(n: int, u: float) -> float:
    """Return γₙ = n·u / (1 − n·u)."""
    assert n * u < 1, "the analysis needs n·u < 1"
    return n * u / (1 - n * u)


def same_bits(a: Array, b: Array) -> Array:
    """Return where a and b agree in every bit; a NaN agrees with every NaN."""
    a, b = np.asarray(a), np.asarray(b)
    return ((a == b) & (np.signbit(a) == np.signbit(b))) | (np.isnan(a) & np.isnan(b))


@dataclass(frozen=True)
class Allowance:
    """What an element may be off: γₙ·G, and below the normal range half a subnormal a rounding.

    Parameters
    ----------
    n : int
    gauge : array, float64
    """

    n: int
    gauge: Array

    def of(self, dtype: np.dtype | type) -> Array:
        """Return the bound per element for results in `dtype`."""
        underflow = self.n * float(np.finfo(dtype).smallest_subnormal) / 2
        return gamma(self.n, unit_roundoff(dtype)) * self.gauge + underflow


def worst_ratio(error: Array, gauge: Array, u: float) -> float:
    """Return max err/(u·G) over the elements with a gauge, 0 for none."""
    error, gauge = np.broadcast_arrays(error, gauge)
    measurable = gauge > 0
    return float((error[measurable] / (u * gauge[measurable])).max(initial=0))
