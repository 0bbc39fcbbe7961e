"""Entries of a gradient beside the slopes that differences give."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from numpy_siamese.gradients import diagnosis, differences
from numpy_siamese.gradients.result import Index
from numpy_siamese.gradients.slopes import Slopes

Array = np.ndarray

STEPS = (2.0**-12, 2.0**-17, 2.0**-22)
"""The steps, as shares of the entry, or of the argument's typical entry where that is larger. The
next one is for entries that the one before cannot tell, or finds wrong."""

TELLS = 1e-5
"""A slope tells if its bound is at most this share of the argument's largest gradient: a mistake
that is smaller may be missed."""

TINY = float(np.finfo(np.float64).tiny)
"""What underflow may take."""

CLOSE = 1e-6
"""A guess at a mistake fits if it is off by at most this share of the largest gradient."""


class Comparison(NamedTuple):
    """Entries of a gradient beside slopes, each (n,).

    Attributes
    ----------
    gradient : ndarray
        The pullback's, in its own shape.
    shape : tuple of int
        The argument's.
    places : (n,) integers
        The entries, in C order.
    values : (n,)
        Those of the gradient; NaN if it is of another shape.
    slopes, bounds, rounding : (n,)
        Of L, with the bounds on their errors, and the part of these that is due to rounding.
    told : (n,) bool
        Where a slope is near enough to tell. The others are left out.
    right : (n,) bool
        Where the value is within the bound.
    scale : float
        The largest gradient of the argument, or the smallest that counts.
    """

    gradient: Array
    shape: Index
    places: Array
    values: Array
    slopes: Array
    bounds: Array
    rounding: Array
    told: Array
    right: Array
    scale: float

    @property
    def wrong(self) -> Array:
        """Where the value is wrong; nowhere if the gradient is of another shape."""
        if self.gradient.shape != self.shape:
            return np.zeros(len(self.places), bool)
        return (self.told & ~self.right) | ~np.isfinite(self.values)

    @property
    def drowned(self) -> Array:
        """Where a slope does not tell, and rounding is the reason."""
        return ~self.told & (self.rounding > self.bounds / 2)

    def errors(self) -> Array:
        """Return how far values and slopes are apart, 0 where they were not compared."""
        return np.where(self.told & np.isfinite(self.values), abs(self.values - self.slopes), 0.0)

    def place(self, i: int) -> Index:
        """Return the index of an entry."""
        return tuple(int(n) for n in np.unravel_index(int(self.places[i]), self.shape))

    def guess(self, lengths: Collection[int]) -> str:
        """Return the guess at the mistake; see `diagnosis.guess`."""
        told = self.told
        allowed = self.bounds + CLOSE * self.scale
        return diagnosis.guess(
            self.gradient,
            self.shape,
            self.places[told],
            self.slopes[told],
            allowed[told],
            lengths,
        )


def compare(gradient: Array, slopes: Slopes, places: Array) -> Comparison:
    """Compare a gradient at these places, with smaller steps where it must be.

    Of two steps whose slopes agree within their bounds, the one with the smaller bound is taken. Of
    two that contradict each other, it is the smaller step: a kink within the larger one hid there.
    """
    shape, n = slopes.x.shape, len(places)
    comparable = gradient.shape == shape
    values = gradient.ravel()[places].astype(np.float64) if comparable else np.full(n, np.nan)
    taken = [differences.Slope(np.nan, np.inf, 0.0)] * n
    again = np.ones(n, bool)
    for share in STEPS:
        for i in np.flatnonzero(again).tolist():
            taken[i] = _better(taken[i], slopes.at(int(places[i]), share))
        numeric, bounds, rounding = np.array(taken).reshape(n, 3).T
        certain = np.nan_to_num(abs(numeric) - bounds, nan=0.0)
        finite = values[np.isfinite(values)]
        largest = max(certain.max(initial=0), abs(finite).max(initial=0))
        scale = float(max(largest, slopes.zero))
        bounds = bounds + 8 * differences.EPS * scale + TINY  # the pullback rounds too
        told = np.asarray(bounds <= TELLS * scale + TINY)
        right = told & (abs(values - numeric) <= bounds)
        again = ~right if comparable else ~told
    return Comparison(
        gradient, shape, places, values, numeric, bounds, rounding, told, right, scale
    )


def _better(before: differences.Slope, after: differences.Slope) -> differences.Slope:
    """Return which of two slopes is taken, the second from a smaller step."""
    if not np.isfinite(after.bound):
        return before
    agree = abs(before.value - after.value) <= before.bound + after.bound
    return before if agree and before.bound <= after.bound else after
