"""The slope of a function along one entry of its argument, with a bound on the slope's error.

Let L(t) be the function along the entry, t = 0 where the slope L' is sought. Two steps, h and h/2,
give two central differences and two jumps, which tell one side from the other:

    D(h) = (L(h) − L(−h)) / 2h             J(h) = (L(h) + L(−h) − 2L(0)) / h
    A = D(h/2) − D(h)                      B = J(h/2) − J(h)/2

The slope is taken to be R = D(h/2) + A/3, Richardson's extrapolation. Its error is at most

    |A| + |B| + 16 ε/h

*Smooth functions.* A term cₙ tⁿ of L's series adds nothing to D where n is even. Where n is odd it
adds cₙ hⁿ⁻¹ to D(h). So it adds (1 − 2¹⁻ⁿ) cₙ hⁿ⁻¹ to |A|, and (4·2¹⁻ⁿ − 1)/3 cₙ hⁿ⁻¹ to R − L'.
The latter is nothing for n = 3, and less than half of the former for all n > 3.

*Kinks.* Let L be linear on one side of 0 within h, and anything on the other, as beside a kink of
ReLU. Subtract that line from L. Then L' is 0, one of L(±h) is 0, and so J = ±2D. With it
B = ±(2 D(h/2) − D(h)), so R = ±B − 2A/3: the error is within |A| + |B| wherever the kink lies.

*Rounding.* Each L(t) is off by ε at most. That moves R by 3 ε/h, |A| by 3 ε/h and |B| by 10 ε/h.

Only terms that cancel each other hide from this bound, such as kinks on both sides of 0. Smaller
steps find these.

References
----------
Richardson 1911, *The approximate arithmetical solution by finite differences*; Moré & Wild 2012,
*Estimating derivatives of noisy simulations*.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Array = np.ndarray

Change = Callable[[Array], tuple[float, float]]
"""From an argument near x to L there less L at x, and to what its terms add up to without signs.
Both are NaN where L is not finite."""

NOISE_FACTOR = 4.0
"""How many standard deviations the noise of L is taken to reach."""

SMALLEST = 2.0**-1000
"""The smallest step: half of it is no subnormal number."""

EPS = float(np.finfo(np.float64).eps)


class Slope(NamedTuple):
    """A slope found from differences.

    Attributes
    ----------
    value : float
        R. NaN where L is not finite nearby.
    bound : float
        On its error. Infinite there.
    rounding : float
        The part of the bound that is due to rounding.
    """

    value: float
    bound: float
    rounding: float


def typical(x: Array) -> float:
    """Return the typical size of an array's entries: the median of those that are not 0, or 1."""
    sizes = abs(x[np.isfinite(x) & (x != 0)])
    return float(np.median(sizes)) if sizes.size else 1.0


def slope(change: Change, x: Array, place: int, step: float, noise: float = 0.0) -> Slope:
    """Return the slope of L along one entry.

    Parameters
    ----------
    change : callable
    x : ndarray of float64
        Where.
    place : int
        The entry, in C order.
    step : float
        h. The next power of two is taken.
    noise : float
        ε at least; the rounding of the terms of L adds to it.
    """
    at = float(x.flat[place])
    h = 2.0 ** math.ceil(math.log2(max(step, SMALLEST)))
    central, jump, size = np.zeros(2), np.zeros(2), 0.0
    for n, part in enumerate((h, h / 2)):
        right, left = (at + part) - at, at - (at - part)  # what rounding leaves of the step
        above, of_above = change(_moved(x, place, at + part))
        below, of_below = change(_moved(x, place, at - part))
        central[n] = (above - below) / (right + left)
        jump[n] = above / right + below / left
        size += of_above + of_below
    if not np.isfinite(size):
        return Slope(math.nan, math.inf, 0.0)
    a = central[1] - central[0]
    b = jump[1] - jump[0] / 2
    rounding = 16 * (noise + EPS * size / 4) / h
    return Slope(float(central[1] + a / 3), float(abs(a) + abs(b) + rounding), float(rounding))


def noise(distances: Array, changes: Array) -> float:
    """Return ε, estimated from L at points of a short line: what a parabola leaves of it.

    The points lie at random. Equal distances may have the rhythm of the rounding, and hide it.

    Parameters
    ----------
    distances, changes : (n,), n > 3
        The places of the points on the line, and L there.
    """
    largest = float(abs(changes).max())
    if largest == 0:
        return 0.0
    powers, shares = np.vander(distances / abs(distances).max(), 3), changes / largest
    left = shares - powers @ np.linalg.lstsq(powers, shares, rcond=None)[0]
    return NOISE_FACTOR * math.sqrt(float(left @ left) / (len(left) - 3)) * largest


def _moved(x: Array, place: int, value: float) -> Array:
    """Return a copy of x with another value at one entry."""
    moved = x.copy()
    moved.flat[place] = value
    return moved
