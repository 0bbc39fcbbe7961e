"""The batches that a run learns from, as its configuration asks for them."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np

from numpy_siamese.data.classes import ClassSampler
from numpy_siamese.data.dataset import Dataset, Split
from numpy_siamese.data.distortions import Distortions
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.data.rotations import TURNS, with_turns
from numpy_siamese.errors import InputError
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.learner import Pairs

Array = np.ndarray


class Batches(Protocol):
    """Batches, each a pure function of the seed, the epoch and its number k."""

    def batches(self, epoch: int, ks: Sequence[int]) -> list[Pairs]:
        """Return batches of an epoch."""

    def close(self) -> None:
        """Give back what it takes to draw them."""


def batches_of(config: TrainConfig, dataset: Dataset) -> Batches:
    """Return the batches that a configuration asks for.

    Single pairs of images as they are come as indices. All others come as images.

    Parameters
    ----------
    config : TrainConfig
        Its `loss`, `batch_size`, `seed`, `rotations`, `alphabet_share` and `distortions` count.
    dataset : Dataset

    Raises
    ------
    InputError
        Batches alphabet by alphabet are asked for, and the data have no alphabets, or the loss is
        one of single pairs.
    ValueError
        Classes are too few or too small for pairs.
    """
    all_pairs = config.loss == "n-pair"
    if config.alphabet_share > 0 and not (all_pairs and dataset.alphabets):
        found = f"--data {config.data}" if all_pairs else f"--loss {config.loss}"
        expected = "data with alphabets" if all_pairs else "--loss n-pair"
        raise InputError(f"--alphabet-share: found {found}, expected {expected}")
    split = with_turns(dataset.train) if config.rotations else dataset.train
    if not all_pairs:
        sampler = PairSampler(split.labels, config.batch_size, config.seed)
        if config.from_images:
            return PreparedBatches(sampler, split, config)
        return DrawnBatches(sampler)
    alphabets = _alphabets(dataset, split, config.rotations) if config.alphabet_share else None
    of_classes = ClassSampler(
        split.labels,
        config.batch_size,
        config.seed,
        alphabets=alphabets,
        alphabet_share=config.alphabet_share,
    )
    return PreparedBatches(of_classes, split, config)


def _alphabets(dataset: Dataset, split: Split, turned: bool) -> Array:
    """Return the alphabet of each class of a split; turned, it is another alphabet."""
    labels = np.unique(split.labels)
    turns = TURNS if turned else 1
    names = sorted(set(dataset.alphabets.values()))
    of_class = [names.index(dataset.alphabets[label]) for label in (labels // turns).tolist()]
    return turns * np.array(of_class, np.int64) + labels % turns


class DrawnBatches:
    """Batches of indices.

    Parameters
    ----------
    sampler : PairSampler
    """

    def __init__(self, sampler: PairSampler) -> None:
        self.batches = sampler.batches

    def close(self) -> None:
        """Do nothing."""


class PreparedBatches:
    """Batches of images, distorted on a thread of its own while the one before is learned.

    Parameters
    ----------
    sampler : PairSampler or ClassSampler
        Its indices are those of the images.
    split : Split
    config : TrainConfig
        Its `seed`, `distortions` and `batches` count.
    """

    def __init__(
        self, sampler: PairSampler | ClassSampler, split: Split, config: TrainConfig
    ) -> None:
        self._sampler, self._images, self._of_epoch = sampler, split.images, config.batches
        self._distort = Distortions(config.seed, config.distortions) if config.distortions else None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._next: tuple[tuple[int, int], Future[Pairs]] | None = None

    def batches(self, epoch: int, ks: Sequence[int]) -> list[Pairs]:
        """Return batches of an epoch, and prepare the one that follows them.

        Parameters
        ----------
        epoch : int
        ks : sequence of int

        Returns
        -------
        list of (left (N, H, W) uint8, right (N, H, W) uint8, targets)
        """
        found = [self._taken(epoch, k) for k in ks]
        if len(ks):
            place = divmod(epoch * self._of_epoch + ks[-1] + 1, self._of_epoch)
            self._next = place, self._thread.submit(self.batch, *place)
        return found

    def close(self) -> None:
        """End the thread, once it has prepared what it is at."""
        self._next = None
        self._thread.shutdown(cancel_futures=True)

    def batch(self, epoch: int, k: int) -> Pairs:
        """Return batch k of an epoch."""
        left, right, targets = self._sampler.batch(epoch, k)
        sides = {"left": self._images[left], "right": self._images[right]}
        if self._distort is not None:
            sides = {side: self._distort(images, epoch, k, side) for side, images in sides.items()}
        return sides["left"], sides["right"], targets

    def _taken(self, epoch: int, k: int) -> Pairs:
        """Return a batch, which may be the one that was prepared."""
        if self._next is not None and self._next[0] == (epoch, k):
            (_, prepared), self._next = self._next, None
            return prepared.result()
        return self.batch(epoch, k)
