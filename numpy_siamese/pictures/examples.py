"""Pairs that are worth a look: the first of each kind, and the surest mistakes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

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
    names : sequence of N pairs of str, or None
        What the classes of left and right image are called.
    """

    heading: str
    left: Array
    right: Array
    targets: Array
    probs: Array | None = None
    names: Sequence[tuple[str, str]] | None = None


def checked(examples: Examples) -> Examples:
    """Return examples, if they hold as many images, targets and probabilities."""
    if not isinstance(examples, Examples):
        raise TypeError(f"sections must be Examples, got {_arrays.type_name(examples)}")
    left, right = (checked_images(getattr(examples, side), side) for side in ("left", "right"))
    targets, probs = _verdicts(examples.targets, examples.probs)
    _arguments.same_shape(left=left, right=right)
    if targets.shape != (len(left),):
        raise ValueError(f"targets must be ({len(left)},), got {targets.shape}")
    if examples.names is not None and len(examples.names) != len(left):
        raise ValueError(f"names must be {len(left)}, got {len(examples.names)}")
    return Examples(examples.heading, left, right, targets, probs, examples.names)


def first_of_each_kind(
    images: Array,
    pairs: tuple[Array, Array, Array],
    probs: Array | None = None,
    names: Sequence[str] | None = None,
) -> Examples:
    """Return the first pairs of each half of a batch: different ones, then same ones.

    Parameters
    ----------
    images : (n, 28, 28) uint8
    pairs : left index (N,), right index (N,), targets (N, 1)
    probs : (N, 1), optional
    names : sequence of n strings, optional
        What the class of each image is called.

    Raises
    ------
    TypeError, ValueError, IndexError
        No such arrays; an index below 0 or above n − 1.
    """
    images, pairs, probs = checked_pairs(images, pairs, probs)
    N, half = len(pairs[2]), len(pairs[2]) // 2
    different, same = min(EACH_KIND, half), min(EACH_KIND, N - half)
    shown = np.r_[0:different, half : half + same]
    heading = f"The first {different} different and {same} same pairs"
    return examples_of(heading, images, pairs, probs, shown, names)


def as_single_pairs(
    left: Array, right: Array, targets: Array
) -> tuple[Array, tuple[Array, Array, Array]]:
    """Return a batch that is given as images as pairs of a list of images, for a picture.

    Parameters
    ----------
    left, right : (N, H, W) uint8
    targets : (N, 1) or (N, N)
        Of all pairs, those at the same place are taken, and those of each left image and the next
        right one of another class.

    Returns
    -------
    images : (2N, H, W) uint8
    pairs : left index (M,), right index (M,), targets (M, 1)
        Different ones first.
    """
    N = len(left)
    places, follow = np.arange(N), (np.arange(N) + 1) % N
    images = np.concatenate([left, right])
    if targets.shape[1] == 1:
        return images, (places, N + places, targets)
    other = targets[places, follow] == 0
    one = np.concatenate([places[other], places])
    partner = np.concatenate([follow[other], places])
    truth = targets[one, partner, None]
    keep = min(other.sum(), N)
    shown = np.r_[:keep, other.sum() : other.sum() + keep]
    return images, (one[shown], N + partner[shown], truth[shown])


def surest_mistakes(
    images: Array,
    pairs: tuple[Array, Array, Array],
    probs: Array,
    names: Sequence[str] | None = None,
) -> Examples:
    """Return the pairs of which the network was surest and wrong, the surest first.

    Parameters
    ----------
    images : (n, 28, 28) uint8
    pairs : left index (N,), right index (N,), targets (N, 1)
    probs : (N, 1)
        One that is not a number is the least sure.
    names : sequence of n strings, optional
        What the class of each image is called.

    Raises
    ------
    TypeError, ValueError, IndexError
        As `first_of_each_kind`.
    """
    (probs,) = _arrays.floats(probs=probs)
    images, pairs, _ = checked_pairs(images, pairs, probs)
    targets = pairs[2]
    (wrong,) = np.nonzero(((probs > THRESHOLD) != (targets == 1))[:, 0])
    shown = surest(wrong, pairs, probs, MISTAKES)
    heading = f"The surest of {len(wrong):,} mistakes in {len(targets):,} pairs"
    if len(wrong) == 0:
        heading = f"No mistakes in {len(targets):,} pairs"
    return examples_of(heading, images, pairs, probs, shown, names)


def surest(wrong: Array, pairs: tuple[Array, Array, Array], probs: Array, most: int) -> Array:
    """Return the pairs of which the network was surest, the surest first, of those judged wrong.

    Two images are a pair once, whichever stands left.
    """
    sureness = np.abs(probs[wrong, 0] - THRESHOLD)
    falling = wrong[np.argsort(-sureness, kind="stable")]
    sides = np.sort(np.stack([pairs[0][falling], pairs[1][falling]]), axis=0)
    _, first = np.unique(sides, axis=1, return_index=True)
    return falling[np.sort(first)[:most]]


def examples_of(
    heading: str,
    images: Array,
    pairs: tuple[Array, Array, Array],
    probs: Array | None,
    shown: Array,
    names: Sequence[str] | None,
) -> Examples:
    """Return pairs by their number, of arrays that are checked."""
    left_index, right_index, targets = pairs
    return Examples(
        heading,
        images[left_index[shown]],
        images[right_index[shown]],
        targets[shown, 0],
        None if probs is None else probs[shown, 0],
        None
        if names is None
        else [(names[left_index[n]], names[right_index[n]]) for n in shown.tolist()],
    )


def checked_pairs(
    images: Array, pairs: tuple[Any, Any, Any], probs: Array | None
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
