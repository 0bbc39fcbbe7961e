"""Steps on the device, one after the other, of which the host asks nothing before the last."""

import math

import numpy as np
import torch
from torch import Tensor

from torch_siamese import blocks
from torch_siamese._tensors import pinned
from torch_siamese.evaluation import share_right
from torch_siamese.image_source import ImageSource
from torch_siamese.modes import Backward
from torch_siamese.optim import SGD, Adam

Array = np.ndarray


class Steps:
    """Learn from blocks of batches of one size.

    All that a step reads and writes lies at addresses that stay: images, the block, the place in
    it, the results, weights and momentum. So a step is the same work every time, which a CUDA graph
    can repeat.

    Parameters
    ----------
    backward : Backward
    optimizer : SGD or Adam
    source : ImageSource
    pairs : int
        In a batch.
    dtype : torch.dtype
        Of the network.
    device : torch.device
    """

    def __init__(
        self,
        backward: Backward,
        optimizer: SGD | Adam,
        source: ImageSource,
        pairs: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self._backward, self._optimizer, self._source = backward, optimizer, source
        self._dtype, self._device = dtype, device
        self._images, self.batches = source.room(pairs)
        self._block = torch.zeros((self.batches, 3, pairs), dtype=torch.int64, device=device)
        self._place = torch.zeros(1, dtype=torch.int64, device=device)
        self._results = torch.zeros((self.batches, 2), dtype=torch.float64, device=device)

    def learn(self, block: Array) -> Tensor:
        """Learn from a block.

        Parameters
        ----------
        block : (n, 3, N) int64, of at most `batches` batches

        Returns
        -------
        results : (n, 2) float64, on the device
            The loss and the accuracy of each batch, before its own step. NaN for a batch with a
            probability that is not finite, which leaves the weights as they were.
        """
        moved = self._source.take(self._images, block)
        self._block[: len(block)].copy_(pinned(moved, self._device), non_blocking=True)
        self._place.zero_()
        self._run(len(block))
        return self._results[: len(block)].clone()

    def _run(self, count: int) -> None:
        """Do so many steps."""
        for _ in range(count):
            self._step()

    def _step(self) -> None:
        """Learn from the batch at the current place, and go on to the next place."""
        batch = self._block.index_select(0, self._place)[0]
        index, targets = batch[: blocks.TARGETS].flatten(), blocks.targets(batch, self._dtype)
        images = self._images.index_select(0, index)  # which the host has checked
        left, right = images.unsqueeze(1).to(self._dtype).chunk(2)
        loss, probs = self._backward(left, right, targets)
        is_bad = probs.isnan().any()
        self._optimizer.step_unless(is_bad)
        found = torch.stack([loss.double(), share_right(probs, targets)])
        self._results.index_copy_(0, self._place, found.masked_fill(is_bad, math.nan)[None])
        self._place.add_(1)
