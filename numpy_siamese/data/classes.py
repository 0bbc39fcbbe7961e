"""Which images make a batch of all pairs: two of each of as many classes as it has places.

A batch is a pure function of (seed, split, epoch, k), as in `pairs`. Its stream is another one than
that of single pairs.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arguments
from numpy_siamese.data.pairs import SPLITS, checked_labels, checked_split, images_by_class

Array = np.ndarray

STREAM = 1
"""Word 0 of the counter where a batch begins, which is 0 for single pairs. It counts within."""


class ClassSampler:
    """Draw batches of all pairs: N left and N right images, at each place two of one class.

    The classes of a batch are distinct, each choice equally likely. If there are fewer than N, all
    take part, each as often as another or once more. Of each class two distinct images are drawn
    uniformly, where it has two. Places of one class in a batch are drawn independently.

    In a share of the batches the classes come alphabet by alphabet, in random order, until the
    batch is full. So the others are of the same alphabet, and harder to tell apart.

    Parameters
    ----------
    labels : (n,) integers, whole numbers, bools or strings
        The class of each image, as `PairSampler` takes them.
    batch_size : int
        N, at least 2.
    seed : int
        Taken modulo 2¹²⁸.
    split : 'train', 'validation' or 'test'
    alphabets : (C,) integers, optional
        The alphabet of each class, in the order of the sorted labels.
    alphabet_share : float, from 0 to 1
        The probability that a batch is drawn alphabet by alphabet.

    Raises
    ------
    TypeError, ValueError
        No such labels or numbers. Fewer than two classes. Alphabets of another number, or none
        with a share above 0.

    References
    ----------
    Sohn 2016, *Improved deep metric learning with multi-class N-pair loss objective*, for batches
    of N classes.

    Examples
    --------
    >>> sampler = ClassSampler([0, 0, 1, 1, 2, 2], batch_size=3, seed=0)
    >>> left_index, right_index, targets = sampler.batch(epoch=0, k=0)
    >>> sorted((left_index // 2).tolist()), (left_index // 2 == right_index // 2).tolist()
    ([0, 1, 2], [True, True, True])
    >>> targets
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.]], dtype=float32)
    """

    def __init__(
        self,
        labels: npt.ArrayLike,
        batch_size: int,
        seed: int,
        split: str = "train",
        alphabets: npt.ArrayLike | None = None,
        alphabet_share: float = 0.0,
    ) -> None:
        self.batch_size = _arguments.count("batch_size", batch_size, 2)
        self.seed = _arguments.integer("seed", seed)
        self.split = checked_split(split)
        classes, self._counts, self._starts, self._order = images_by_class(labels)
        share = _arguments.finite("alphabet_share", alphabet_share)
        if not 0 <= share <= 1:
            raise ValueError(f"alphabet_share must be from 0 to 1, got {share}")
        self._alphabets = None if alphabets is None else checked_labels(alphabets)
        if self._alphabets is not None and len(self._alphabets) != len(classes):
            found = len(self._alphabets)
            raise ValueError(
                f"alphabets must be one for each of {len(classes)} classes, got {found}"
            )
        if share > 0 and self._alphabets is None:
            raise ValueError("alphabets must be given for an alphabet_share above 0")
        self.alphabet_share = share

    def batch(self, epoch: int, k: int) -> tuple[Array, Array, Array]:
        """Draw batch k of an epoch.

        Parameters
        ----------
        epoch, k : int
            Counted from 0 and below 2⁶³.

        Returns
        -------
        left_index, right_index : (N,) int64
            Into the images that `labels` describes.
        targets : (N, N) float32
            1 where left i and right j are of one class, else 0.
        """
        epoch, k = _arguments.count("epoch", epoch, 0), _arguments.count("k", k, 0)
        N, C = self.batch_size, len(self._counts)
        counter = [STREAM << 32, k, epoch, SPLITS.index(self.split)]
        stream = np.random.Philox(key=self.seed % 2**128, counter=counter)
        unit = np.random.Generator(stream).random(1 + 2 * C + 2 * N)
        keys, of_alphabets = unit[1 : 1 + C], unit[1 + C : 1 + 2 * C]
        if unit[0] < self.alphabet_share:
            chosen = self._alphabet_by_alphabet(keys, of_alphabets)[:N]
        else:
            chosen = np.argsort(keys, kind="stable")[:N]
        chosen = np.resize(chosen, N)  # from the beginning again, if there are fewer
        counts = self._counts[chosen]
        first, second = unit[1 + 2 * C :].reshape(2, N)
        left = (first * counts).astype(np.int64)
        right = left + 1 + (second * np.maximum(counts - 1, 1)).astype(np.int64)
        right = np.where(counts > 1, right % counts, left)
        left_index, right_index = (
            self._order[self._starts[chosen] + rank] for rank in (left, right)
        )
        targets = (chosen[:, None] == chosen).astype(np.float32)
        return left_index, right_index, targets

    def batches(self, epoch: int, ks: Sequence[int]) -> list[tuple[Array, Array, Array]]:
        """Draw several batches of an epoch, each as `batch` gives it.

        Parameters
        ----------
        epoch : int
        ks : sequence of int

        Returns
        -------
        list of (left_index, right_index, targets)
        """
        return [self.batch(epoch, k) for k in ks]

    def _alphabet_by_alphabet(self, keys: Array, of_alphabets: Array) -> Array:
        """Return all classes: the alphabets in random order, and the classes of each likewise."""
        assert self._alphabets is not None
        _, alphabet = np.unique(self._alphabets, return_inverse=True)
        return np.lexsort((keys, of_alphabets[alphabet]))
