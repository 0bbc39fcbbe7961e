"""Validation: images kept apart, so that a threshold is chosen on others than it is tested on."""

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arguments
from numpy_siamese.data.pairs import SPLITS, PairSampler, checked_labels

Array = np.ndarray
Pairs = tuple[Array, Array, Array]

SHARE = 0.2
"""The share of the images that validation takes."""


def split_images(labels: npt.ArrayLike, seed: int, share: float = SHARE) -> tuple[Array, Array]:
    """Split images into those for validation and those for the test.

    Of a class of c images validation takes ⌊share·c + ½⌋, at least 2, and leaves at least 2: so
    either side has a pair of each class without an image and itself. Which ones is a pure function
    of labels, seed and share, by a counter-based generator (Philox).

    Parameters
    ----------
    labels : (n,) integers, whole numbers, bools or strings
        The class of each image. Taken by position.
    seed : int
        Taken modulo 2¹²⁸.
    share : float
        Above 0 and below 1.

    Returns
    -------
    validation_index, test_index : (v,) and (n − v,) int64
        Rising. Every image is in one of them.

    Raises
    ------
    TypeError
        No such labels, seed or share.
    ValueError
        No such labels or share. Fewer than two classes. A class of fewer than 4 images.
    """
    seed, share = _arguments.integer("seed", seed), _arguments.number("share", share)
    if not 0 < share < 1:
        raise ValueError(f"share must lie between 0 and 1, got {share}")
    classes, place, counts = np.unique(
        checked_labels(labels), return_inverse=True, return_counts=True
    )
    if len(classes) < 2:
        raise ValueError(f"labels must be of at least two classes, got {len(classes)}")
    if counts.min() < 4:
        k = counts.argmin()
        raise ValueError(
            f"labels must have at least 4 images a class (2 to validate, 2 to test), "
            f"got {counts[k]} of class {classes[k]}"
        )
    stream = np.random.Philox(key=seed % 2**128, counter=[0, 0, 0, len(SPLITS)])
    unit = np.random.Generator(stream).random(len(place))
    order = np.lexsort((unit, place))  # class after class, shuffled within each
    rank = np.arange(len(place)) - np.repeat(np.cumsum(counts) - counts, counts)
    taken = np.clip(np.floor(share * counts + 0.5), 2, counts - 2)
    validates = rank < np.repeat(taken, counts)
    return np.sort(order[validates]), np.sort(order[~validates])


def validation_and_test_pairs(
    labels: npt.ArrayLike,
    validation_pairs: int,
    test_pairs: int,
    seed: int,
    share: float = SHARE,
) -> tuple[Pairs, Pairs]:
    """Draw balanced pairs for validation and for the test, which share no image.

    No pair is an image with itself.

    Parameters
    ----------
    labels, seed, share
        As in `split_images`.
    validation_pairs, test_pairs : int
        How many of each, at least 2.

    Returns
    -------
    validation, test : (left_index, right_index, targets)
        As `PairSampler.batch` gives them; the indices are into `labels`.

    Raises
    ------
    TypeError, ValueError
        As `split_images`. A number of pairs below 2.
    """
    labels = checked_labels(labels)
    parts = split_images(labels, seed, share)
    counts = {"validation_pairs": validation_pairs, "test_pairs": test_pairs}
    drawn = []
    for (name, count), images, split in zip(
        counts.items(), parts, ("validation", "test"), strict=True
    ):
        count = _arguments.count(name, count, 2)
        sampler = PairSampler(labels[images], count, seed, split, allow_self_pairs=False)
        left, right, targets = sampler.batch(0, 0)
        drawn.append((images[left], images[right], targets))
    return drawn[0], drawn[1]
