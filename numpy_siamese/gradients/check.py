"""The check of a hand-derived gradient against central differences, whose error is bounded.

For an output y and a weighting dy, the pullback of dy is the gradient of L = Σ dy·y. Along one
entry of an argument, with the step h,

    D(h) = (L(x + h) − L(x − h)) / 2h = L' + h² L'''/6 + O(h⁴),

so D(h/2) is off by (D(h) − D(h/2))/3 up to O(h⁴), and (4 D(h/2) − D(h))/3 is better still. The
bound on its error is |D(h) − D(h/2)|/3 and what rounding adds, from the noise of L.

Within h of a kink, as ReLU and pooling have them, a difference says nothing. There the slopes on
both sides do not draw nearer to each other as the step is halved. Such entries are left out, and
named.

References
----------
Moré & Wild 2011, *Estimating computational noise*.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from numpy_siamese import _arguments, _arrays
from numpy_siamese.gradients import diagnosis

Array = np.ndarray
Index = tuple[int, ...]
Function = Callable[..., tuple[Any, Callable[[Array], Sequence[Array | None]]]]

STEPS = (2.0**-12, 2.0**-17, 2.0**-22)
"""The step h for an entry of at most 1; in proportion for larger ones. The next one is for entries
that the one before cannot tell, or finds wrong."""

ENTRIES = 1000
"""Entries of an argument that are checked, drawn at random where there are more."""

VAGUE = 1e-3
"""An entry is left out where its bound, or a jump of the slope, is larger than this share of the
argument's gradient."""

CLOSE = 1e-6
"""A guess at a mistake fits where it is off by no more than this share of the largest gradient."""

NOISE_POINTS, NOISE_STEP, NOISE_FACTOR = 9, 2.0**-40, 8.0
"""Points along a line from which the noise of L is estimated, their distance, and the factor that
covers what nine points underestimate."""


class Fault(NamedTuple):
    """The first entry of a gradient that is wrong.

    Attributes
    ----------
    place : tuple of int
    analytic, numeric, bound : float
        The pullback's value, that of the differences, and the bound on the latter's error.
    guess : str
        What the mistake may be. Empty if nothing fits.
    """

    place: Index
    analytic: float
    numeric: float
    bound: float
    guess: str


class ArgumentCheck(NamedTuple):
    """The check of the gradient of one argument.

    Attributes
    ----------
    name : str
    checked : int
        Entries that were compared.
    worst : float
        The largest |analytic − numeric| in units of its bound. NaN if no entry was compared.
    error, bound : float
        Both of that entry, as shares of the argument's largest gradient.
    kinks : list of tuple of int
        Entries that lie too near a kink to tell.
    fault : Fault or None
    """

    name: str
    checked: int
    worst: float
    error: float
    bound: float
    kinks: list[Index]
    fault: Fault | None

    @property
    def held(self) -> bool:
        """Whether at least one entry was compared, and none was wrong."""
        return self.checked > 0 and self.fault is None


def gradcheck(
    f: Function,
    *arrays: Array,
    names: Sequence[str] | None = None,
    entries: int = ENTRIES,
    seed: int = 0,
) -> list[ArgumentCheck]:
    """Check the gradients of a function that returns its output and its pullback.

    Everything is computed in float64. The weighting dy of the output is random.

    Parameters
    ----------
    f : callable
        ``y, pullback = f(*arrays)``; ``pullback(dy)`` returns a sequence with one gradient for each
        array, or None for one that is not differentiated. It must be a pure function.
    *arrays : arrays of float32 or float64
        At least one.
    names : sequence of str, optional
        What the arrays are called. Default: argument 0, argument 1, …
    entries : int
        Entries of each array that are checked, at random where there are more.
    seed : int
        Of dy and of the entries.

    Returns
    -------
    list of ArgumentCheck
        For each array with a gradient. The gradients are right, as far as checked, if all are
        `held`.

    Raises
    ------
    TypeError
        `f` is not callable, or does not return an output and a callable. An array is not of floats.
    ValueError
        There is no array, or no gradient. Names or gradients are not as many as the arrays. An
        output is not finite, or of another shape at another place.
    """
    if not callable(f):
        raise TypeError(f"f must be callable, got {_arrays.type_name(f)}")
    if not arrays:
        raise ValueError("arrays: expected at least one, got none")
    names = [f"argument {k}" for k in range(len(arrays))] if names is None else list(names)
    if len(names) != len(arrays):
        raise ValueError(f"names must be as many as the {len(arrays)} arrays, got {len(names)}")
    entries = _arguments.count("entries", entries, 1)
    rng = np.random.default_rng(_arguments.integer("seed", seed))
    found = [_float(name, x) for name, x in zip(names, arrays, strict=True)]
    point = [x.astype(np.float64) for x in found]

    y, pullback = _evaluated(f, point)
    dy = rng.uniform(0.5, 1, y.shape) * rng.choice([-1.0, 1.0], y.shape)
    gradients = pullback(dy.copy() if dy.ndim else float(dy))
    if not isinstance(gradients, Sequence) or len(gradients) != len(arrays):
        raise ValueError(
            f"pullback must return a sequence of {len(arrays)} gradients, one for each array, got "
            f"{_told(gradients)}"
        )
    if all(gradient is None for gradient in gradients):
        raise ValueError("pullback must return a gradient, got None for every array")
    return [
        _Line(f, point, k, y, dy, rng).checked(names[k], gradient, entries)
        for k, gradient in enumerate(gradients)
        if gradient is not None
    ]


class _Comparison(NamedTuple):
    """Entries of a gradient beside their differences: four arrays (n,), and the largest of all."""

    numeric: Array
    bound: Array
    told: Array
    ratios: Array
    largest: float


class _Line:
    """The function along the entries of one argument."""

    def __init__(
        self, f: Function, point: list[Array], k: int, y: Array, dy: Array, rng: np.random.Generator
    ) -> None:
        self.f, self.point, self.k, self.y, self.dy, self.rng = f, point, k, y, dy, rng
        self.x = point[k]

    def checked(self, name: str, gradient: Any, entries: int) -> ArgumentCheck:
        """Return the check of this argument's gradient."""
        analytic = np.asarray(gradient, np.float64)
        if analytic.shape != self.x.shape:
            of_shape = Fault((), np.nan, np.nan, np.nan, diagnosis.of_shape(analytic, self.x))
            return ArgumentCheck(name, 0, np.nan, np.nan, np.nan, [], of_shape)
        size = self.x.size
        places = np.arange(size)
        if size > entries:
            places = np.sort(self.rng.choice(size, entries, replace=False))
        values = analytic.ravel()[places]
        found = self._compared(places, values)
        index = np.transpose(np.unravel_index(places, self.x.shape)).reshape(len(places), -1)
        ratios = np.where(found.told, found.ratios, -1.0)
        worst = error = bound = np.nan
        if found.told.any():
            n = int(ratios.argmax())
            scale = found.largest or 1.0
            worst, error = float(ratios[n]), float(abs(values - found.numeric)[n] / scale)
            bound = float(found.bound[n] / scale)
        fault: Fault | None = None
        wrong = (ratios > 1) | ~np.isfinite(values)
        if wrong.any():
            n = int(wrong.argmax())
            guess = diagnosis.of_values(
                analytic,
                places[found.told],
                found.numeric[found.told],
                found.bound[found.told] + CLOSE * found.largest,
                {n for array in (self.y, *self.point) for n in (*array.shape, array.size)},
            )
            value, numeric, limit = (float(x[n]) for x in (values, found.numeric, found.bound))
            fault = Fault(tuple(index[n].tolist()), value, numeric, limit, guess)
        kinks = [tuple(entry) for entry in index[~found.told].tolist()]
        return ArgumentCheck(name, int(found.told.sum()), worst, error, bound, kinks, fault)

    def _compared(self, places: Array, values: Array) -> "_Comparison":
        """Compare entries with differences, those that disagree or jump with smaller steps too.

        A kink that a large step crosses lies outside a small one. A wrong value stays wrong.
        """
        noise = self._noise()
        differences = np.zeros((len(places), 3))
        again = np.ones(len(places), bool)
        for step in STEPS:
            for n in np.flatnonzero(again).tolist():
                differences[n] = self._difference(int(places[n]), noise, step)
            numeric, bound, jump = differences.T
            largest = float(max(abs(numeric).max(initial=0), abs(values).max(initial=0)))
            bound = bound + 8 * np.finfo(np.float64).eps * largest
            told = (np.maximum(jump, bound) <= VAGUE * largest) | (largest == 0)
            errors = abs(values - numeric)
            ratios = np.divide(errors, bound, out=np.zeros_like(errors), where=errors > 0)
            again = ~told | ~(ratios <= 1)
        return _Comparison(numeric, bound, told, ratios, largest)

    def _difference(self, place: int, noise: float, share: float) -> tuple[float, float, float]:
        """Return the slope of L along an entry, the bound on its error, and the slope's jump."""
        at = self.x.flat[place]
        h = share * max(1.0, abs(at))
        slopes, gaps = [], []
        for step in (h, h / 2):
            above, below = self._change(place, at + step), self._change(place, at - step)
            forward, backward = (at + step) - at, at - (at - step)
            slopes.append((above - below) / (forward + backward))
            gaps.append(above / forward + below / backward)
        coarse, fine = slopes
        rounding = 8 * noise / h
        bound = abs(coarse - fine) / 3 + rounding
        jump = max(0.0, abs(gaps[1] - gaps[0] / 2) - 2 * rounding)
        return (4 * fine - coarse) / 3, bound, jump

    def _change(self, place: int, value: float) -> float:
        """Return how L changes as one entry takes another value."""
        moved = self.x.copy()
        moved.flat[place] = value
        return self._changed(moved)

    def _changed(self, moved: Array) -> float:
        point = [*self.point[: self.k], moved, *self.point[self.k + 1 :]]
        y, _ = _evaluated(self.f, point)
        if y.shape != self.y.shape:
            raise ValueError(
                f"f must give one shape near a point, got {self.y.shape} and {y.shape}"
            )
        return float((self.dy * (y - self.y)).sum())

    def _noise(self) -> float:
        """Estimate the noise of L from differences of high order along a random direction."""
        direction = self.rng.uniform(-1, 1, self.x.shape) * np.maximum(1, abs(self.x))
        table = np.array(
            [self._changed(self.x + n * NOISE_STEP * direction) for n in range(NOISE_POINTS)]
        )
        estimates, gamma = [], 1.0
        for order in range(1, NOISE_POINTS - 2):
            table = np.diff(table)
            gamma *= order / (2 * (2 * order - 1))  # (k!)²/(2k)!
            estimates.append(np.sqrt(gamma * np.mean(table**2)))
        return NOISE_FACTOR * float(max(estimates[2:]))


def _float(name: str, value: Any) -> Array:
    """Return an array of floats, as it is."""
    given: dict[str, Any] = {name: value}
    (x,) = _arrays.floats((), **given)
    return x


def _evaluated(f: Function, point: list[Array]) -> tuple[Array, Any]:
    """Return output and pullback at a point, checked."""
    result = f(*(x.copy() for x in point))
    if not isinstance(result, tuple) or len(result) != 2 or not callable(result[1]):
        raise TypeError(f"f must return (y, pullback), got {_told(result)}")
    y = np.asarray(result[0])
    if y.dtype.kind != "f":
        raise TypeError(f"f must return an output of floats, got {y.dtype}")
    if not np.isfinite(y).all():
        raise ValueError("f must return an output that is finite, got one that is not")
    return y.astype(np.float64), result[1]


def _told(value: Any) -> str:
    """Return what a value is: its type, and of a tuple those of its items."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_arrays.type_name, value))})"
    return _arrays.type_name(value)
