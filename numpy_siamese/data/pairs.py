"""Which pairs of images make batch k of epoch e under seed s.

A batch is a pure function of (seed, split, epoch, k). Its random numbers come from a counter-based
generator (Philox), at the counter (k, epoch, split) under the key `seed`. Any batch can be drawn
alone, so resuming, worker processes and both packages all see the same pairs.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arguments, _arrays

Array = np.ndarray

SPLITS = ("train", "validation", "test")


class PairSampler:
    """Draw balanced batches of pairs: the first half of different classes, the rest of the same.

    For each pair a class is drawn uniformly over classes, not over images. The first
    ⌊batch_size/2⌋ pairs are different (target 0): the second image's class is the first's plus a
    uniform offset in 1..C−1, modulo C. The others are of the same class (target 1). Images are
    drawn uniformly within their class, with replacement.

    Parameters
    ----------
    labels : (n,) integers, whole numbers, bools or strings
        The class of each image; any values, in any order. An array, list, tuple, pandas Series:
        taken by position, whatever index it has.
    batch_size : int
        Pairs in a batch, at least 2: one different, one same.
    seed : int
        Taken modulo 2¹²⁸.
    split : 'train', 'validation' or 'test'
        Separates the streams of one seed.
    allow_self_pairs : bool
        Whether a pair of one class may be an image with itself.

    Raises
    ------
    TypeError
        Labels that are no such sequence, missing ones among them; a batch size or a seed that is
        no int.
    ValueError
        A batch size below 2, or an unknown split. Labels of more than one axis or not whole. Fewer
        than two classes. Without self-pairs, a class with only one image.

    References
    ----------
    Salmon et al. 2011, *Parallel random numbers: as easy as 1, 2, 3*, for Philox.

    Examples
    --------
    >>> sampler = PairSampler([0, 0, 1, 1], batch_size=4, seed=0)
    >>> left_index, right_index, targets = sampler.batch(epoch=0, k=0)
    >>> targets.ravel()
    array([0., 0., 1., 1.], dtype=float32)
    >>> (left_index // 2 == right_index // 2).tolist()
    [False, False, True, True]
    """

    def __init__(
        self,
        labels: npt.ArrayLike,
        batch_size: int,
        seed: int,
        split: str = "train",
        allow_self_pairs: bool = True,
    ) -> None:
        batch_size = _arguments.integer("batch_size", batch_size)
        seed = _arguments.integer("seed", seed)
        if batch_size < 2:
            raise ValueError(
                f"batch_size must be at least 2 (one pair of each kind), got {batch_size}"
            )
        split = checked_split(split)
        _arguments.boolean("allow_self_pairs", allow_self_pairs)
        classes, counts, starts, order = images_by_class(labels)
        if not allow_self_pairs and counts.min() < 2:
            lonely = classes[counts.argmin()]
            raise ValueError(f"class {lonely} has 1 image, but a pair without itself needs 2")
        self.batch_size = batch_size
        self.seed = seed
        self.split = split
        self.allow_self_pairs = allow_self_pairs
        self._counts, self._starts, self._order = counts, starts, order

    def batch(self, epoch: int, k: int) -> tuple[Array, Array, Array]:
        """Draw batch k of an epoch.

        Parameters
        ----------
        epoch, k : int
            Counted from 0 and below 2⁶³.

        Returns
        -------
        left_index, right_index : (batch_size,) int64
            Into the images that `labels` describes.
        targets : (batch_size, 1) float32
            0 for different, 1 for same.
        """
        (found,) = self.batches(epoch, [k])
        return found

    def batches(self, epoch: int, ks: Sequence[int]) -> list[tuple[Array, Array, Array]]:
        """Draw several batches of an epoch. Each is what `batch` gives, at a third of the cost.

        Parameters
        ----------
        epoch : int
            Counted from 0 and below 2⁶³.
        ks : sequence of int
            Likewise.

        Returns
        -------
        list of (left_index, right_index, targets)
            As `batch` returns them.
        """
        epoch = _arguments.count("epoch", epoch, 0)
        ks = [_arguments.count("k", k, 0) for k in ks]
        N, C = self.batch_size, len(self._counts)
        unit = np.empty((4, len(ks), N))
        for place, k in enumerate(ks):
            # word 0 counts within the batch
            counter = [0, k, epoch, SPLITS.index(self.split)]
            stream = np.random.Philox(key=self.seed % 2**128, counter=counter)
            unit[:, place] = np.random.Generator(stream).random((4, N))

        left_class = _below(C, unit[0])
        right_class = left_class.copy()
        different, same = np.s_[:, : N // 2], np.s_[:, N // 2 :]
        right_class[different] += 1 + _below(C - 1, unit[1][different])
        right_class[different] %= C

        left_rank = _below(self._counts[left_class], unit[2])
        if self.allow_self_pairs:
            right_rank = _below(self._counts[right_class], unit[3])
        else:
            right_rank = np.empty_like(left_rank)
            count = self._counts[right_class[different]]
            right_rank[different] = _below(count, unit[3][different])
            count = self._counts[left_class[same]]
            right_rank[same] = (left_rank[same] + 1 + _below(count - 1, unit[3][same])) % count

        targets = np.ones((len(ks), N, 1), np.float32)
        targets[different] = 0
        left_index = self._order[self._starts[left_class] + left_rank]
        right_index = self._order[self._starts[right_class] + right_rank]
        return list(zip(left_index, right_index, targets, strict=True))


def _below(bound: Array | int, unit: Array) -> Array:
    """Uniform integers in 0..bound−1 from uniform numbers in [0, 1) of 53 bits.

    ⌊u·n⌋ with u ≤ 1 − 2⁻⁵³ stays below n after rounding, and each integer's probability is off by
    less than 2⁻⁵³.
    """
    return (unit * bound).astype(np.int64)


class ImagesByClass(NamedTuple):
    """Which images are of which class.

    Attributes
    ----------
    classes : (C,)
        The different labels, rising.
    counts, starts : (C,) int64
        How many images a class has, and where they begin in `order`.
    order : (n,) int64
        Image numbers, class after class.
    """

    classes: Array
    counts: Array
    starts: Array
    order: Array


def images_by_class(labels: npt.ArrayLike) -> ImagesByClass:
    """Return which images are of which class, if there are two classes to draw pairs of.

    Parameters
    ----------
    labels : (n,) integers, whole numbers, bools or strings

    Returns
    -------
    ImagesByClass

    Raises
    ------
    TypeError, ValueError
        No such labels. Fewer than two classes.
    """
    labels = checked_labels(labels)
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2:
        raise ValueError(f"pairs need at least two classes, got {len(classes)}")
    order = np.argsort(labels, kind="stable")
    return ImagesByClass(classes, counts, np.cumsum(counts) - counts, order)


def checked_split(split: Any) -> str:
    """Return the name of a split, if it is one.

    Parameters
    ----------
    split : str

    Returns
    -------
    str
    """
    if not isinstance(split, str) or split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    return split


def checked_labels(labels: Any, name: str = "labels") -> Array:
    """Return the labels as an array in which two are equal if and only if they were.

    Floats are exact below 2⁵³; a NaN stands for a label that is missing.

    Parameters
    ----------
    labels : (n,) integers, whole numbers, bools or strings
    name : str
        What an error calls them.

    Returns
    -------
    array, (n,)
    """
    found = _arrays.by_position(name, labels)
    if found.dtype.kind not in "biufSU":
        raise TypeError(f"{name} must be integers or strings, none missing, got {found.dtype}")
    if found.ndim != 1:
        raise ValueError(f"{name} must have one axis, got shape {found.shape}")
    exact = np.float64(2**53)  # float16 has no such number
    if found.dtype.kind == "f" and not ((abs(found) < exact) & (found == np.floor(found))).all():
        raise ValueError(f"{name} must be whole numbers below 2**53, none missing")
    return found
