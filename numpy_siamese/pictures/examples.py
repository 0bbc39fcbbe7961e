"""Pairs that are worth a look: the first of each kind, and the surest mistakes."""

from typing import NamedTuple

import numpy as np

from numpy_siamese import _arguments, _arrays
from numpy_siamese.data.dataset import checked_images
from numpy_siamese.evaluation.verification import THRESHOLD

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


def checked(examples: Examples) -> Examples:
    """Return examples, if they hold as many images, targets and probabilities."""
    if not isinstance(examples, Examples):
        raise TypeError(f"sections must be Examples, got {_arrays.type_name(examples)}")
    left, right = (checked_images(getattr(examples, side), side) for side in ("left", "right"))
    targets, probs = _verdicts(examples.targets, examples.probs)
    _arguments.same_shape(left=left, right=right)
    if targets.shape != (len(left),):
        raise ValueError(f"targets must be ({len(left)},), got {targets.shape}")
    return Examples(examples.heading, left, right, targets, probs)


def first_of_each_kind(
    images: Array, pairs: tuple[Array, Array, Array], probs: Array | None = None
) -> Examples:
    """Return the first pairs of each half of a batch: different ones, then same ones.

    Parameters
    ----------
    images : (n, 28, 28) uint8
    pairs : left index (N,), right index (N,), targets (N, 1)
    probs : (N, 1), optional

    Raises
    ------
    TypeError, ValueError, IndexError
        No such arrays; an index below 0 or above n − 1.
    """
    images, pairs, probs = _checked(images, pairs, probs)
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

    Raises
    ------
    TypeError, ValueError, IndexError
        As `first_of_each_kind`.
    """
    (probs,) = _arrays.floats(probs=probs)
    images, pairs, _ = _checked(images, pairs, probs)
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


def _checked(
    images: Array, pairs: tuple[Array, Array, Array], probs: Array | None
) -> tuple[Array, tuple[Array, Array, Array], Array | None]:
    """Return the arguments as arrays, in which pairs are counted by position."""
    images, (left_index, right_index, targets) = checked_images(images), pairs
    left_index = _arrays.index("left_index", left_index, len(images))
    right_index = _arrays.index("right_index", right_index, len(images))
    targets, probs = _verdicts(targets, probs)
    _arguments.same_shape(left_index=left_index, right_index=right_index)
    if targets.shape != (len(left_index), 1):
        raise ValueError(f"targets must be ({len(left_index)}, 1), got {targets.shape}")
    return images, (left_index, right_index, targets), probs


def _verdicts(targets: Array, probs: Array | None) -> tuple[Array, Array | None]:
    targets = _arrays.real("targets", targets, np.float32)
    (probs,) = _arrays.floats(probs=probs, optional=("probs",))
    if probs is not None:
        _arguments.same_shape(targets=targets, probs=probs)
    return targets, probs
