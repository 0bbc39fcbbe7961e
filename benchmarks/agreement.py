"""Nothing is timed that computes something else: results are held against NumPy in float64."""

import numpy as np

Array = np.ndarray
Results = dict[str, Array]

ROUNDINGS = 256
"""Roundings that may add up in a result of the network, in norm: about the square root of the
65,000 terms behind the longest sum, for they walk at random. A mistake is off by far more."""

WINNERS = 6
"""Where inputs are rounded coarsely, to a unit roundoff u, other pixels win some poolings, and
others pass ReLU: a share of them in the order of u, each off by its whole size, which in norm is in
the order of √u. With 8 to 18 bits the network's gradients were off by up to 5.3·√u."""

FLOAT32 = 2.0**-24
"""The unit roundoff of weights, whatever products are computed in."""


class Disagreement(Exception):  # noqa: N818 - a verdict, not an error
    """What is not what its row says: it differs by more than rounding, or goes another way."""


def tolerance(unit_roundoff: float) -> float:
    """Return the relative error in norm that rounding explains."""
    return min(ROUNDINGS * unit_roundoff, WINNERS * unit_roundoff**0.5)


def check(results: Results, reference: Results, unit_roundoff: float) -> float:
    """Return the largest relative error, ‖result − reference‖ / ‖reference‖ in float64.

    Raises
    ------
    Disagreement
        Names or shapes that differ, or an error above the `tolerance`.
    """
    if results.keys() != reference.keys():
        raise Disagreement(f"gives {sorted(results)}, not {sorted(reference)}")
    sizes = _sizes(reference)
    worst = 0.0
    for name, value in results.items():
        expected = reference[name]
        if np.shape(value) != np.shape(expected):
            raise Disagreement(f"{name} has shape {np.shape(value)}, not {np.shape(expected)}")
        error = _distance(value, expected) / (sizes[name] or 1.0)
        worst = max(worst, error)
        if not error <= tolerance(unit_roundoff):
            raise Disagreement(f"{name} is off by {error:.1e} of its size")
    return worst


def check_change(
    before: Results, after: Results, reference: tuple[Results, Results], unit_roundoff: float
) -> None:
    """See that a run changed the weights as the reference's did, from before to after.

    Beside the error of the change itself there is that of the difference, in float32 half a unit in
    the last place of the weight at every step; four steps are allowed for.

    Raises
    ------
    Disagreement
        Names that differ, weights that do not begin as the reference's, or changes that differ by
        more than rounding.
    """
    if before.keys() != reference[0].keys():
        raise Disagreement(f"changes {sorted(before)}, not {sorted(reference[0])}")
    changes = {name: _difference(last, reference[0][name]) for name, last in reference[1].items()}
    sizes = _sizes(changes)
    for name, first in before.items():
        if not np.array_equal(first, reference[0][name]):
            raise Disagreement(f"{name} does not begin as the reference's")
        change = _difference(after[name], first)
        allowed = tolerance(unit_roundoff) * sizes[name] + 4 * FLOAT32 * _norm(first)
        if not _distance(change, changes[name]) <= allowed:
            raise Disagreement(
                f"{name} changes by {_norm(change):.1e}, not by {_norm(changes[name]):.1e}"
            )


def _sizes(reference: Results) -> dict[str, float]:
    """Return what errors are held against: norms, of what cancels in exact arithmetic the others'.

    That is a millionth of the largest.
    """
    norms = {name: _norm(array) for name, array in reference.items()}
    return {name: max(norm, 2.0**-20 * max(norms.values())) for name, norm in norms.items()}


def _difference(a: Array, b: Array) -> Array:
    return np.asarray(a, np.float64) - np.asarray(b, np.float64)


def _distance(a: Array, b: Array) -> float:
    return _norm(_difference(a, b))


def _norm(array: Array) -> float:
    return float(np.linalg.norm(np.asarray(array, np.float64)))
