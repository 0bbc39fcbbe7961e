"""Pairs that are worth a look: the first of each kind, and the surest mistakes."""

from typing import NamedTuple

import numpy as np

from numpy_siamese.evaluation import THRESHOLD

Array = np.ndarray

EACH_KIND = 10
"""Pairs of each kind, different and same."""

MISTAKES = 10


class Examples(NamedTuple):
    """Some pairs and what they are.

    Attributes
    ----------
    heading : str
    left, right : (N, 28, 28) uint8
    targets : (N,)
        1 for same, 0 for different.
    probs : (N,) or None
        The network's probability of *same*.
    """

    heading: str
    left: Array
    right: Array
    targets: Array
    probs: Array | None = None


def first_of_each_kind(
    images: Array, pairs: tuple[Array, Array, Array], probs: Array | None = None
) -> Examples:
    """Return the first pairs of each half of a batch: different ones, then same ones.

    Parameters
    ----------
    images : (n, 28, 28) uint8
    pairs : left index (N,), right index (N,), targets (N, 1)
    probs : (N, 1), optional
    """
    N, half = len(pairs[2]), len(pairs[2]) // 2
    different, same = min(EACH_KIND, half), min(EACH_KIND, N - half)
    shown = np.r_[0:different, half : half + same]
    return _examples(
        f"The first {different} different and {same} same pairs", images, pairs, probs, shown
    )


def surest_mistakes(images: Array, pairs: tuple[Array, Array, Array], probs: Array) -> Examples:
    """Return the pairs of which the network was surest and wrong, the surest first.

    Parameters
    ----------
    images : (n, 28, 28) uint8
    pairs : left index (N,), right index (N,), targets (N, 1)
    probs : (N, 1)
        One that is not a number is the least sure.
    """
    targets = pairs[2]
    (wrong,) = np.nonzero(((probs > THRESHOLD) != (targets == 1))[:, 0])
    sureness = np.abs(probs[wrong, 0] - THRESHOLD)
    shown = wrong[np.argsort(-sureness, kind="stable")[:MISTAKES]]
    heading = f"The surest of {len(wrong):,} mistakes in {len(targets):,} pairs"
    if len(wrong) == 0:
        heading = f"No mistakes in {len(targets):,} pairs"
    return _examples(heading, images, pairs, probs, shown)


def _examples(
    heading: str,
    images: Array,
    pairs: tuple[Array, Array, Array],
    probs: Array | None,
    shown: Array,
) -> Examples:
    left_index, right_index, targets = pairs
    return Examples(
        heading,
        images[left_index[shown]],
        images[right_index[shown]],
        targets[shown, 0],
        None if probs is None else probs[shown, 0],
    )
