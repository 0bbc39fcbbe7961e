"""Verification: whether a pair is of the same class, told by its probability."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arguments, _arrays

Array = np.ndarray

THRESHOLD = 0.5
"""A pair is called *same* when its probability is above this."""


class Verification(NamedTuple):
    """What a network says of pairs, and what that is worth.

    Attributes
    ----------
    probs : (N, 1)
        The probability that each pair is of the same class.
    loss : float
        The mean binary cross-entropy in nats; NaN where a probability is not finite.
    accuracy : float
        The share of right verdicts.
    """

    probs: Array
    loss: float
    accuracy: float


def accuracy(probs: Array, targets: npt.ArrayLike) -> float:
    """Return the share of pairs whose verdict, same or different, is right.

    Parameters
    ----------
    probs : (N, 1), at least one
    targets : (N, 1)
        1 for same, 0 for different. An array, list, tuple, pandas DataFrame, taken by position.

    Returns
    -------
    float, in [0, 1]

    Raises
    ------
    TypeError, ValueError
        No such arrays, or two shapes.
    """
    (probs,) = _arrays.floats(probs=probs)
    targets = _arrays.real("targets", targets, np.float64)
    _arguments.same_shape(probs=probs, targets=targets)
    if probs.size == 0:
        raise ValueError("probs must hold at least one pair")
    return float(((probs > THRESHOLD) == (targets == 1)).mean())
