"""The steps that suit a batch: of indices or of images, of single pairs or of all pairs."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor

from numpy_siamese import _arrays
from numpy_siamese.data.dataset import are_images, has_all_pairs
from numpy_siamese.runs.learner import Pairs
from torch_siamese.blocks import packed
from torch_siamese.cuda_graph import CapturedSteps
from torch_siamese.image_source import ImageSource
from torch_siamese.image_steps import ImageSteps
from torch_siamese.model import SiameseNet
from torch_siamese.modes import Backward, in_mode
from torch_siamese.optim import SGD, Adam
from torch_siamese.steps import Steps

Array = np.ndarray


class Stepper:
    """Learn from batches of any kind.

    Parameters
    ----------
    net : SiameseNet
    mode : str
        As of `in_mode`.
    half : bool
        As of `Backward`.
    backward : Backward
        Of single pairs.
    optimizer : SGD or Adam
    source : ImageSource
        The images that indices are of.
    device : torch.device
    verdict_weight : float
        As of `all_pairs.contrast`.
    """

    def __init__(
        self,
        net: SiameseNet,
        mode: str,
        half: bool,
        backward: Backward,
        optimizer: SGD | Adam,
        source: ImageSource,
        device: torch.device,
        verdict_weight: float,
    ) -> None:
        self.source = source
        self._net, self._mode, self._half = net, mode, half
        self._backward, self.optimizer = backward, optimizer
        self._verdict_weight = verdict_weight
        self._device, self._dtype = device, net.fc1.weight.dtype
        self._of_indices: dict[int, Steps] = {}
        self._of_images: dict[bool, ImageSteps] = {}

    def learn(self, batches: Sequence[Pairs], images: int) -> list[Tensor]:
        """Learn from batches, one after the other.

        Parameters
        ----------
        batches : sequence of Pairs
        images : int
            How many images there are. An index is below.

        Returns
        -------
        results : list of (n, 2) float64, on the device
            Loss and accuracy of each batch, n of them after the other.
        """
        found = []
        for kind, alike in groupby(batches, _kind):
            of_one_kind = list(alike)
            if kind == "indices":
                found += self._learn_indices([checked(images, *batch) for batch in of_one_kind])
            else:
                found.append(self._image_steps(kind == "all pairs").learn(of_one_kind))
        return found

    def forget(self) -> None:
        """Give back the memory of all steps."""
        self._of_indices.clear()
        self._of_images.clear()

    def _learn_indices(self, batches: list[Pairs]) -> list[Tensor]:
        found = []
        for pairs, of_one_size in groupby(batches, lambda batch: len(batch[0])):
            steps, alike = self._index_steps(pairs), list(of_one_size)
            starts = range(0, len(alike), steps.batches)
            found += [steps.learn(packed(alike[k : k + steps.batches])) for k in starts]
        return found

    def _index_steps(self, pairs: int) -> Steps:
        if pairs not in self._of_indices:
            kind = CapturedSteps if self._mode == "graph" else Steps
            self._of_indices[pairs] = kind(
                self._backward, self.optimizer, self.source, pairs, self._dtype, self._device
            )
        return self._of_indices[pairs]

    def _image_steps(self, all_pairs: bool) -> ImageSteps:
        if all_pairs not in self._of_images:
            backward = self._backward
            if all_pairs:
                backward = in_mode(
                    self._mode, self._net, self._device, self._half, self._verdict_weight
                )
            self._of_images[all_pairs] = ImageSteps(
                backward, self.optimizer, self._dtype, self._device
            )
        return self._of_images[all_pairs]


def _kind(batch: Pairs) -> str:
    """Return what a batch is given as."""
    if not are_images(batch[0]):
        return "indices"
    return "all pairs" if has_all_pairs(batch[2]) else "images"


def checked(count: int, left_index: Any, right_index: Any, targets: Any) -> Pairs:
    """Return a batch of pairs out of so many images, checked.

    Parameters
    ----------
    count : int
    left_index, right_index : (N,) integers
    targets : (N, 1)

    Returns
    -------
    left_index, right_index : (N,) int64
    targets : (N, 1) float64

    Raises
    ------
    TypeError, ValueError, IndexError
        Another type or shape; an index below 0 or above count − 1.
    """
    left, right = (
        _arrays.index(name, index, count)
        for name, index in (("left_index", left_index), ("right_index", right_index))
    )
    truth = _arrays.real("targets", targets, np.float64)
    if left.shape != right.shape or truth.shape != (len(left), 1):
        found = f"got {left.shape}, {right.shape} and {truth.shape}"
        raise ValueError(f"expected indices (N,), (N,) and targets (N, 1), {found}")
    return left, right, truth
