"""Pairs as every measure takes them: checked, flat, in float64."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arguments, _arrays

Array = np.ndarray


class Pairs(NamedTuple):
    """Checked pairs, each array (N,)."""

    probs: Array
    same: Array
    weights: Array

    def weighted(self, weights: Array) -> "Pairs":
        """Return the pairs whose new weight, (N,) float64, is above 0."""
        kept = weights > 0
        return Pairs(self.probs[kept], self.same[kept], weights[kept])


def checked(
    probs: Array, targets: npt.ArrayLike, weights: Array | None = None, prefix: str = ""
) -> Pairs:
    """Return pairs whose arguments are what a measure asks for.

    float64 holds every float32 exactly. So a threshold, which is float64, is compared as it is.
    Messages name the arguments with the prefix before them.

    Raises
    ------
    TypeError, ValueError
        No such arrays, or two shapes. No pair. A probability outside [0, 1], a target other than 0
        and 1. A weight that is negative or not finite, or no weight above 0.
    """
    (probs,) = _arrays.floats((), **{f"{prefix}probs": probs})
    targets = _arrays.real(f"{prefix}targets", targets, np.float64)
    _arguments.same_shape(**{f"{prefix}probs": probs, f"{prefix}targets": targets})
    if probs.size == 0:
        raise ValueError(f"{prefix}probs must hold at least one pair")
    _arguments.probabilities(**{f"{prefix}probs": probs})
    same = targets == 1
    if not (same | (targets == 0)).all():
        raise ValueError(f"{prefix}targets must be 0 (different) or 1 (same)")
    return Pairs(probs.ravel().astype(np.float64), same.ravel(), _weights(weights, probs.size))


def of_both_kinds(
    probs: Array, targets: npt.ArrayLike, weights: Array | None = None, prefix: str = ""
) -> Pairs:
    """Return checked pairs, if those of weight above 0 are of both kinds.

    Raises
    ------
    TypeError, ValueError
        As `checked`, or a kind is missing.
    """
    pairs = checked(probs, targets, weights, prefix)
    for kind, belongs in (("same", pairs.same), ("different", ~pairs.same)):
        if not belongs.any():
            raise ValueError(f"{prefix}targets must be of both kinds, got no {kind} pair")
        if not pairs.weights[belongs].any():
            raise ValueError(f"weights must be above 0 for both kinds, got no {kind} pair")
    return pairs


def _weights(weights: Array | None, N: int) -> Array:
    if weights is None:
        return np.ones(N)
    (weights,) = _arrays.floats(weights=weights)
    if weights.shape != (N,):
        raise ValueError(f"weights must have shape ({N},), got {weights.shape}")
    if not ((weights >= 0) & (weights < np.inf)).all():
        raise ValueError("weights must be finite, none negative")
    if not weights.any():
        raise ValueError("weights must not all be 0")
    return weights.astype(np.float64)
