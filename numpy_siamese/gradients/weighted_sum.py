"""The number L = Σ dy·y, whose gradient is the pullback of dy."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from numpy_siamese import _arrays
from numpy_siamese.gradients import differences

Array = np.ndarray
Function = Callable[..., tuple[Any, Callable[[Any], Sequence[Array | None]]]]

NOISE_POINTS, NOISE_LINES = 12, (2.0**-32, 2.0**-26, 2.0**-20, 2.0**-14)
"""Points of a line from which the noise of L is estimated, and lengths of lines as shares of the
arguments."""

PURE = 1e-6
"""By which share of Σ|dy·y| two outputs at one point may differ."""


class WeightedSum:
    """L near a point, with a random dy.

    Parameters
    ----------
    f : callable
        ``y, pullback = f(*point)``.
    point : list of arrays of float64
    rng : numpy.random.Generator
        Each entry of dy has a size from 0.5 to 1, and a sign.

    Attributes
    ----------
    y, dy : ndarray
        Output and weighting.
    size : float
        Σ|dy·y|.

    Raises
    ------
    TypeError
        `f` does not return an output of float64 and a callable.
    ValueError
        The output is not finite, or another at the second time.
    """

    def __init__(self, f: Function, point: list[Array], rng: np.random.Generator) -> None:
        self.f, self.point = f, point
        self.y, self.pullback = self._evaluated(point)
        if not np.isfinite(self.y).all():
            raise ValueError("f must return an output that is finite, got one that is not")
        signs = rng.choice([-1.0, 1.0], self.y.shape)
        self.dy = np.asarray(signs * rng.uniform(0.5, 1, self.y.shape))
        self.size = float(abs(self.dy * self.y).sum())
        again, _ = self.change(point)
        if not abs(again) <= PURE * self.size:
            raise ValueError("f must be a pure function, got two outputs at one point")

    def gradients(self, names: Sequence[str]) -> list[Array | None]:
        """Return the pullback of dy, an array or None for each argument.

        Raises
        ------
        TypeError
            The pullback does not return a sequence, or one of anything but arrays of floats.
        ValueError
            There are not as many gradients as arguments, or only None.
        """
        found = self.pullback(self.dy.copy() if self.dy.ndim else float(self.dy))
        expected = "1 gradient" if len(names) == 1 else f"{len(names)} gradients"
        if not isinstance(found, Sequence):
            raise TypeError(
                f"pullback must return a sequence of {expected}, got {_arrays.type_name(found)}"
            )
        absent = len(found) > len(names) and all(one is None for one in found[len(names) :])
        if len(found) != len(names) and not absent:
            raise ValueError(
                f"pullback must return {expected}, one for each array, got {len(found)}"
            )
        if all(gradient is None for gradient in found):
            raise ValueError("pullback must return a gradient, got None for every array")
        return [
            None if gradient is None else _floats(f"the gradient of {name}", gradient)
            for name, gradient in zip(names, found, strict=not absent)
        ]

    def change(self, point: Sequence[Array]) -> tuple[float, float]:
        """Return L at another point less L, and Σ|dy·y| of the outputs that differ.

        Both are NaN where an output is not finite.
        """
        y, _ = self._evaluated(point)
        if y.shape != self.y.shape:
            raise ValueError(
                f"f must return one shape near a point, got {self.y.shape} and {y.shape}"
            )
        if not np.isfinite(y).all():
            return math.nan, math.nan
        moved = y != self.y
        terms = self.dy * (y - self.y)
        return float(terms.sum()), float(abs(self.dy * y)[moved].sum())

    def along(self, k: int) -> differences.Change:
        """Return `change` as a function of argument k."""
        return lambda x: self.change([*self.point[:k], x, *self.point[k + 1 :]])

    def noise(self, rng: np.random.Generator) -> float:
        """Estimate the noise of L along a random direction.

        The line is as short as it can be, so that no kink lies on it: just long enough that L is
        not rounded to a few values.
        """
        found = 0.0
        directions = [
            rng.choice([-1.0, 1.0], x.shape) * np.maximum(differences.typical(x), abs(x))
            for x in self.point
        ]
        for length in NOISE_LINES:
            distances = length * rng.uniform(0, 1, NOISE_POINTS)
            changes = np.array([self.change(self._moved(directions, t))[0] for t in distances])
            if not np.isfinite(changes).all():
                break
            found = differences.noise(distances, changes)
            if len(np.unique(changes)) > NOISE_POINTS / 2:
                break
        return found

    def _moved(self, directions: list[Array], distance: float) -> list[Array]:
        return [x + distance * d for x, d in zip(self.point, directions, strict=True)]

    def _evaluated(self, point: Sequence[Array]) -> tuple[Array, Any]:
        with np.errstate(all="ignore"):  # what is not finite is found in the output
            result = self.f(*(x.copy() for x in point))
        if not isinstance(result, tuple) or len(result) != 2 or not callable(result[1]):
            raise TypeError(f"f must return (y, pullback), got {_told(result)}")
        y = _floats("the output of f", result[0])
        if y.dtype != np.float64:
            raise TypeError(f"the output of f must be float64 as its arrays are, got {y.dtype}")
        return y.copy(), result[1]  # f may write its next output to the same array


def _floats(name: str, value: Any) -> Array:
    """Return an array of floats, from what NumPy converts to one."""
    try:
        found = np.asarray(value)
    except Exception as error:  # a conversion is foreign code
        raise TypeError(f"{name} must be an array, got {_arrays.type_name(value)}") from error
    if found.dtype.kind != "f":
        raise TypeError(f"{name} must be of floats, got {found.dtype}")
    return found


def _told(value: Any) -> str:
    """Return what a value is: its type, and of a tuple those of its items."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_arrays.type_name, value))})"
    return _arrays.type_name(value)
