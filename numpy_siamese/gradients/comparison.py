"""Entries of a gradient beside the slopes that differences give."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from numpy_siamese.gradients import diagnosis, differences
from numpy_siamese.gradients.result import Index
from numpy_siamese.gradients.weighted_sum import WeightedSum

Array = np.ndarray

STEPS = (2.0**-12, 2.0**-17, 2.0**-22)
"""The steps, as shares of the entry, or of the argument's typical entry where that is larger. The
next one is for entries that the one before cannot tell, or finds wrong."""

TELLS = 1e-5
"""A slope tells if its bound is at most this share of the argument's largest gradient."""

ZERO = 1e-4
"""Gradients below this share of Σ|dy·y| over a typical entry need not be told from 0."""

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
    largest : float
        The largest gradient of the argument.
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
    largest: float

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
        allowed = self.bounds + CLOSE * self.largest
        return diagnosis.guess(
            self.gradient,
            self.shape,
            self.places[told],
            self.slopes[told],
            allowed[told],
            lengths,
        )


class Slopes:
    """The slopes of L along the entries of argument k, each computed once for a step.

    Parameters
    ----------
    total : WeightedSum
    k : int
    noise : float
        Of L.
    """

    def __init__(self, total: WeightedSum, k: int, noise: float) -> None:
        self.x, self.change, self.noise = total.point[k], total.along(k), noise
        self.typical = differences.typical(self.x)
        self.zero = ZERO * total.size / self.typical
        self._known: dict[tuple[int, float], differences.Slope] = {}

    def at(self, place: int, share: float) -> differences.Slope:
        """Return the slope along an entry, for a step as this share of it."""
        if (place, share) not in self._known:
            step = share * max(self.typical, abs(float(self.x.flat[place])))
            self._known[place, share] = differences.slope(
                self.change, self.x, place, step, self.noise
            )
        return self._known[place, share]


def compare(gradient: Array, slopes: Slopes, places: Array) -> Comparison:
    """Compare a gradient at these places, with smaller steps where it must be.

    A kink within a large step lies outside a small one. A wrong value stays wrong.
    """
    shape, n = slopes.x.shape, len(places)
    comparable = gradient.shape == shape
    values = gradient.ravel()[places].astype(np.float64) if comparable else np.full(n, np.nan)
    found = np.full((3, len(STEPS), n), np.inf)
    again = np.ones(n, bool)
    for step, share in enumerate(STEPS):
        for i in np.flatnonzero(again).tolist():
            found[:, step, i] = slopes.at(int(places[i]), share)
        numeric, bounds, rounding = found
        with np.errstate(invalid="ignore"):  # ∞ − ∞ where there is no slope yet
            certain = np.nan_to_num(abs(numeric) - bounds, nan=0.0)
        largest = float(max(certain.max(initial=0), abs(_finite(values)).max(initial=0)))
        bounds = bounds + 8 * differences.EPS * largest  # the pullback rounds too
        told = np.asarray(bounds <= TELLS * max(largest, slopes.zero))
        right = told & (abs(values - numeric) <= bounds)
        again = np.logical_not((right if comparable else told).any(axis=0))
    best = np.where(right.any(0), np.where(right, bounds, np.inf).argmin(0), bounds.argmin(0))
    at = best, np.arange(n)
    return Comparison(
        gradient,
        shape,
        places,
        values,
        slopes=numeric[at],
        bounds=bounds[at],
        rounding=rounding[at],
        told=told[at],
        right=right[at],
        largest=largest,
    )


def _finite(values: Array) -> Array:
    return values[np.isfinite(values)]
