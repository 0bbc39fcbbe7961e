"""Nothing is timed that computes something else: results are held against NumPy in float64."""

import numpy as np

Array = np.ndarray
Results = dict[str, Array]

ROUNDINGS = 256
"""Roundings that may add up in a result of the network, in norm: about the square root of the
65,000 terms behind the longest sum, for they walk at random. A mistake is off by far more."""


class Disagreement(Exception):  # noqa: N818 - a verdict, not an error
    """A result that differs from the reference by more than rounding."""


def check(results: Results, reference: Results, unit_roundoff: float) -> float:
    """Return the largest relative error, ‖result − reference‖ / ‖reference‖ in float64.

    Raises
    ------
    Disagreement
        Names or shapes that differ, or an error above `ROUNDINGS` unit roundoffs.
    """
    if results.keys() != reference.keys():
        raise Disagreement(f"gives {sorted(results)}, not {sorted(reference)}")
    worst = 0.0
    # a gradient that cancels in exact arithmetic is judged by the size of the others
    scale = max((np.linalg.norm(np.asarray(a, float)) for a in reference.values()), default=1.0)
    for name, value in results.items():
        expected = np.asarray(reference[name], np.float64)
        if np.shape(value) != expected.shape:
            raise Disagreement(f"{name} has shape {np.shape(value)}, not {expected.shape}")
        size = max(float(np.linalg.norm(expected)), 2.0**-20 * float(scale))
        error = float(np.linalg.norm(np.asarray(value, np.float64) - expected)) / (size or 1.0)
        worst = max(worst, error)
        if not error <= ROUNDINGS * unit_roundoff:
            raise Disagreement(f"{name} is off by {error:.1e} of its size")
    return worst
