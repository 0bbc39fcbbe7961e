"""The guess at what is wrong with a gradient: which change would make it right."""

from collections.abc import Collection, Iterator

import numpy as np

Array = np.ndarray

EXACT = 1e-5
"""How near a factor is to the length that it is taken for, as a share of it."""


def of_shape(analytic: Array, x: Array) -> str:
    """Return what is wrong with a gradient of another shape than its argument.

    Parameters
    ----------
    analytic : ndarray
        The gradient.
    x : ndarray
        The argument.
    """
    found = f"shape {analytic.shape}, expected {x.shape}"
    if analytic.shape == x.shape[::-1]:
        return f"{found}: a transpose is missing"
    for axes in _sets_of_axes(analytic.ndim):
        if np.squeeze(analytic.sum(axes)).shape == np.squeeze(x).shape:
            return f"{found}: a sum over {_axes(axes)} is missing"
    return found


def of_values(
    analytic: Array, places: Array, numeric: Array, allowed: Array, lengths: Collection[int]
) -> str:
    """Return which change makes all checked entries right, in words; empty if none does.

    Parameters
    ----------
    analytic : ndarray
        The gradient, of its argument's shape.
    places : (n,) integers
        The checked entries, into the flat gradient.
    numeric, allowed : (n,)
        What they should be, and how far off a candidate may be.
    lengths : collection of int
        Lengths of axes and numbers of elements, one of which a missing factor may be.
    """
    values = analytic.ravel()[places]
    if not np.isfinite(values).all():
        return "it is not finite"
    if not values.any():
        return "it is zero"
    if not numeric.any():
        return "it should be zero"

    def fits(candidate: Array) -> bool:
        return bool((abs(candidate.ravel()[places] - numeric) <= allowed).all())

    factor = float(values @ numeric / (values @ values))
    if factor and fits(factor * analytic):
        return _factor(factor, lengths)
    for axes in _sets_of_axes(analytic.ndim):
        if fits(np.flip(analytic, axes)):
            return f"a flip of {_axes(axes)} is missing, or one too many"
    for order in _exchanges(analytic.shape):
        if fits(analytic.transpose(order)):
            return f"a transpose is missing, or one too many: its axes in the order {order} fit"
    return ""


def _factor(factor: float, lengths: Collection[int]) -> str:
    """Return what a missing factor may be."""
    if abs(factor + 1) < EXACT:
        return "the sign is wrong"
    for n in sorted(lengths):
        for value, words in ((n, f"{n}"), (1 / max(n, 1), f"1/{n}")):
            if n > 1 and abs(factor / value - 1) < EXACT:
                return f"a factor of {words} is missing; {n} is a length here"
    return f"a factor of {factor:.6g} is missing"


def _sets_of_axes(ndim: int) -> list[tuple[int, ...]]:
    """Return the non-empty sets of axes, small ones first."""
    sets = [tuple(axis for axis in range(ndim) if mask >> axis & 1) for mask in range(1, 2**ndim)]
    return sorted(sets, key=len)


def _exchanges(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield the exchanges of two axes that keep the shape, as orders of axes."""
    for i in range(len(shape)):
        for j in range(i + 1, len(shape)):
            if shape[i] == shape[j]:
                order = list(range(len(shape)))
                order[i], order[j] = j, i
                yield tuple(order)


def _axes(axes: tuple[int, ...]) -> str:
    return f"ax{'i' if len(axes) == 1 else 'e'}s {', '.join(map(str, axes))}"
