"""The check of hand-derived gradients against central differences.

For an output y and a weighting dy, the pullback of dy is the gradient of L = Σ dy·y. Each entry is
compared with the slope of L along it. A wrong entry lies outside the bound on the slope's error,
which `differences` derives. An entry that lies too near a kink is left out, and named.
"""

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from numpy_siamese import _arguments, _arrays
from numpy_siamese.gradients.comparison import Comparison, compare
from numpy_siamese.gradients.result import ArgumentCheck, Fault
from numpy_siamese.gradients.slopes import Slopes
from numpy_siamese.gradients.weighted_sum import Function, WeightedSum

Array = np.ndarray

ENTRIES = 1000
"""Entries of an argument that are checked, drawn at random where there are more."""


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
        array, or None for one that is not differentiated; None may follow for arguments that were
        not given. It must be a pure function.
    *arrays : arrays of float32 or float64
        At least one.
    names : sequence of str, optional
        What the arrays are called. Default: as the parameters of `f`.
    entries : int
        Entries of each array that are checked, at random where there are more.
    seed : int
        Of dy and of the entries.

    Returns
    -------
    list of ArgumentCheck
        For each array with a gradient. All gradients are right, as far as checked, if each of
        them is `held`. Printed, each says what was found.

    Raises
    ------
    TypeError
        `f` is not callable, or does not return an output of float64 and a callable. An array or a
        gradient is not of floats.
    ValueError
        There is no array, or no gradient. Names or gradients are not as many as the arrays. An
        output is not finite, of another shape nearby, or another at the same point.

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_siamese import gradcheck
    >>> def square(x):
    ...     return x**2, lambda dy: (dy * x,)
    >>> (check,) = gradcheck(square, np.array([1.0, 2.0, 3.0]))
    >>> check.held, check.fault.guess
    (False, 'a factor of 2 is missing')
    """
    return gradchecks([f], *arrays, names=names, entries=entries, seed=seed)[0]


def gradchecks(
    functions: Sequence[Function],
    *arrays: Array,
    names: Sequence[str] | None = None,
    entries: int = ENTRIES,
    seed: int = 0,
) -> list[list[ArgumentCheck]]:
    """Check several pullbacks of one function against the differences of the first output.

    Parameters
    ----------
    functions : sequence of callables
        Each as the `f` of `gradcheck`.
    *arrays, names, entries, seed
        As in `gradcheck`, whose errors are raised too.

    Returns
    -------
    list of lists of ArgumentCheck
        For each function what `gradcheck` returns.
    """
    for f in functions:
        if not callable(f):
            raise TypeError(f"f must be callable, got {_arrays.type_name(f)}")
    if not arrays:
        raise ValueError("arrays: expected at least one, got none")
    names = _parameters(functions[0], len(arrays)) if names is None else list(names)
    if len(names) != len(arrays):
        raise ValueError(f"names must be as many as the {len(arrays)} arrays, got {len(names)}")
    entries = _arguments.count("entries", entries, 1)
    seed = _arguments.count("seed", seed, 0)
    given = [_float(name, x) for name, x in zip(names, arrays, strict=True)]
    point = [x.astype(np.float64) for x in given]
    totals = [WeightedSum(f, point, np.random.default_rng(seed)) for f in functions]
    gradients = [total.gradients(names) for total in totals]
    rng = np.random.default_rng(seed)
    noise = totals[0].noise(rng)
    checks: list[list[ArgumentCheck]] = [[] for _ in functions]
    for k, x in enumerate(point):
        places = np.sort(rng.choice(x.size, min(x.size, entries), replace=False))
        slopes = Slopes(totals[0], k, noise)
        for n, total in enumerate(totals):
            gradient = gradients[n][k]
            if gradient is not None:
                checks[n].append(_result(names[k], compare(gradient, slopes, places), total))
    return checks


def _result(name: str, found: Comparison, total: WeightedSum) -> ArgumentCheck:
    """Return what a comparison says."""
    wrong, errors, scale = found.wrong, found.errors(), found.scale or 1.0
    worst = error = bound = np.nan
    comparable = found.gradient.shape == found.shape
    if found.told.any() and comparable:
        ratios = np.where(found.told, errors / found.bounds, -1.0)
        i = int(ratios.argmax())
        worst, error, bound = (float(n) for n in (ratios[i], errors[i], found.bounds[i]))
    return ArgumentCheck(
        name,
        int(found.told.sum()) if comparable else 0,
        int(wrong.sum()),
        worst,
        error / scale,
        bound / scale,
        [found.place(i) for i in np.flatnonzero(~found.told & ~found.drowned).tolist()],
        [found.place(i) for i in np.flatnonzero(found.drowned).tolist()],
        _fault(found, total),
    )


def _fault(found: Comparison, total: WeightedSum) -> Fault | None:
    """Return what is wrong, or None."""
    lengths = {n for array in (total.y, *total.point) for n in (*array.shape, array.size)}
    if found.gradient.shape != found.shape:
        shapes = f"shape {found.gradient.shape}, expected {found.shape}"
        guess = found.guess(lengths)
        return Fault(None, np.nan, np.nan, np.nan, f"{shapes}{guess and f': {guess}'}")
    if not found.wrong.any():
        return None
    i = int(found.wrong.argmax())
    value, slope, bound = (float(array[i]) for array in (found.values, found.slopes, found.bounds))
    return Fault(found.place(i), value, slope, bound, found.guess(lengths))


def _parameters(f: Any, n: int) -> list[str]:
    """Return the names of the first n parameters of a function, or numbers where there are none."""
    try:
        parameters = list(inspect.signature(f).parameters.values())[:n]
    except (TypeError, ValueError):
        parameters = []
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [parameter.name for parameter in parameters if parameter.kind in by_position]
    return names if len(names) == n else [f"argument {k}" for k in range(n)]


def _float(name: str, value: Any) -> Array:
    """Return an array of finite floats, as it is."""
    given: dict[str, Any] = {name: value}
    (x,) = _arrays.floats((), **given)
    if not np.isfinite(x).all():
        raise ValueError(f"{name} must be finite, got an entry that is not")
    return x
