"""The guess at what is wrong with a gradient: which change would make it right."""

from collections.abc import Collection, Iterator
from itertools import combinations, permutations

import numpy as np

Array = np.ndarray
Axes = tuple[int, ...]

EXACT = 1e-5
"""How near a factor is to the length that it is taken for, as a share of it."""

MOST_AXES = 4
"""Up to so many axes, every order and every set of them is tried. Beyond, pairs."""


def guess(
    gradient: Array,
    shape: tuple[int, ...],
    places: Array,
    slopes: Array,
    allowed: Array,
    lengths: Collection[int],
) -> str:
    """Return which change makes all checked entries right, in words; empty if none does.

    Parameters
    ----------
    gradient : ndarray
        The pullback's.
    shape : tuple of int
        The argument's.
    places : (n,) integers
        The checked entries, in C order.
    slopes, allowed : (n,)
        What they should be, and how far off a change may leave them.
    lengths : collection of int
        Lengths of axes and numbers of elements, one of which a missing factor may be.
    """
    if not np.isfinite(gradient).all():
        return "it is not finite"
    if gradient.size and not gradient.any():
        return "it is zero"
    if gradient.shape == shape and slopes.size and not slopes.any():
        return "it should be zero"
    for change, candidate in _changes(gradient, shape):
        found = candidate.ravel()[places]
        if not found.any():
            continue
        largest = abs(found).max()
        shares = found / largest
        factor = float(shares @ (slopes / largest) / (shares @ shares))
        if not (abs(factor * found - slopes) <= allowed).all():
            continue
        name = _factor(factor, lengths)
        if not change:
            return name or "it is off by rounding alone, as float32 is"
        if not name:
            return change
        if name != _plain(factor):  # a factor with a meaning is no accident
            return f"{change}, and {name}"
    return ""


def _changes(gradient: Array, shape: tuple[int, ...]) -> Iterator[tuple[str, Array]]:
    """Yield changes in words, each with the gradient that it gives; the empty one first."""
    if gradient.shape == shape:
        yield "", gradient
    elif np.squeeze(gradient).shape == tuple(n for n in shape if n != 1):
        yield "an axis of length 1 is missing, or one too many", gradient.reshape(shape)
    for axes in _sets(gradient.ndim):
        if gradient.shape == shape:
            yield f"a flip of {_axes(axes)} is missing, or one too many", np.flip(gradient, axes)
    for order in _orders(gradient.ndim):
        if gradient.transpose(order).shape == shape:
            fit = "" if gradient.ndim == 2 else f": its axes in the order {order} fit"
            yield f"a transpose is missing, or one too many{fit}", gradient.transpose(order)
    for axes in _sets(gradient.ndim):
        summed = gradient.sum(axes)
        if np.squeeze(summed).shape == tuple(n for n in shape if n != 1):
            yield f"a sum over {_axes(axes)} is missing", summed.reshape(shape)
    if gradient.size < np.prod(shape):
        try:
            yield "a broadcast to the argument's shape is missing", np.broadcast_to(gradient, shape)
        except ValueError:
            return


def _factor(factor: float, lengths: Collection[int]) -> str:
    """Return what a missing factor may be; empty if it is 1."""
    if abs(factor - 1) < EXACT:
        return ""
    if abs(factor + 1) < EXACT:
        return "the sign is wrong"
    for n in sorted(lengths):
        for value, words in ((n, f"{n}"), (1 / max(n, 1), f"1/{n}")):
            if n > 1 and abs(factor / value - 1) < EXACT:
                return f"a factor of {words} is missing; {n} is a length here"
    return _plain(factor)


def _plain(factor: float) -> str:
    return f"a factor of {factor:.6g} is missing"


def _sets(ndim: int) -> Iterator[Axes]:
    """Yield the non-empty sets of axes, small ones first."""
    for n in range(1, (ndim if ndim <= MOST_AXES else 2) + 1):
        yield from combinations(range(ndim), n)


def _orders(ndim: int) -> Iterator[Axes]:
    """Yield the orders of axes other than the first, exchanges of two before others."""
    first = tuple(range(ndim))
    exchanges = []
    for i, j in combinations(first, 2):
        order = list(first)
        order[i], order[j] = j, i
        exchanges.append(tuple(order))
    yield from exchanges
    if ndim <= MOST_AXES:
        yield from (order for order in permutations(first) if order not in [first, *exchanges])


def _axes(axes: Axes) -> str:
    return f"ax{'i' if len(axes) == 1 else 'e'}s {', '.join(map(str, axes))}"
