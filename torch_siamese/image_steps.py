"""Steps on batches whose images come from the host, such as distorted ones."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from numpy_siamese.data.dataset import checked_images
from numpy_siamese.runs.learner import Pairs
from torch_siamese._tensors import staged
from torch_siamese.all_pairs import balanced_accuracy
from torch_siamese.evaluation import share_right
from torch_siamese.modes import Backward
from torch_siamese.optim import SGD, Adam

Array = np.ndarray


class ImageSteps:
    """Learn from batches of images.

    Nothing is read from the device before the last step. Images are on their way to it while it
    works on the batch before.

    Parameters
    ----------
    backward : Backward
    optimizer : SGD or Adam
    dtype : torch.dtype
        Of the network.
    device : torch.device
    """

    def __init__(
        self, backward: Backward, optimizer: SGD | Adam, dtype: torch.dtype, device: torch.device
    ) -> None:
        self._backward, self._optimizer = backward, optimizer
        self._dtype, self._device = dtype, device

    def learn(self, batches: Sequence[Pairs]) -> Tensor:
        """Learn from batches, one after the other.

        Parameters
        ----------
        batches : sequence of n times left (N, H, W) uint8, right (M, H, W) uint8, targets

        Returns
        -------
        results : (n, 2) float64, on the device
            The loss and the accuracy of each batch, before its own step. NaN for a batch of which a
            probability or a logit is not finite. It leaves the weights as they were.
        """
        return torch.stack([self._step(*batch) for batch in batches])

    def _step(self, left: Array, right: Array, targets: Array) -> Tensor:
        images = self._read("left", left), self._read("right", right)
        truth = staged(np.asarray(targets, np.float64), self._device).to(self._dtype)
        loss, verdicts = self._backward(*images, truth)
        is_bad = ~verdicts.isfinite().all()
        self._optimizer.step_unless(is_bad)
        judge = share_right if truth.shape[1] == 1 else balanced_accuracy
        found = torch.stack([loss.double(), judge(verdicts, truth)])
        return found.masked_fill(is_bad, math.nan)

    def _read(self, name: str, images: Array) -> Tensor:
        """Return images on the device, as the network reads them: (N, 1, H, W)."""
        return staged(checked_images(images, name), self._device).unsqueeze(1).to(self._dtype)
