"""Batches of pairs as one block of numbers, which goes to the device in one transfer.

A block is (n, 3, N) int64: for each of n batches its left indices, its right indices and its
targets. Targets are float64, of which the block holds the bits.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from numpy_siamese.runs.learner import Pairs

Array = np.ndarray

LEFT, RIGHT, TARGETS = range(3)


def packed(batches: Sequence[Pairs]) -> Array:
    """Return a block of batches of one size.

    Parameters
    ----------
    batches : sequence of left index (N,) int64, right index (N,) int64, targets (N, 1) float64

    Returns
    -------
    (n, 3, N) int64
    """
    block = np.empty((len(batches), 3, len(batches[0][0])), np.int64)
    for batch, (left_index, right_index, truth) in zip(block, batches, strict=True):
        batch[LEFT], batch[RIGHT] = left_index, right_index
        batch[TARGETS].view(np.float64)[:] = truth[:, 0]
    return block


def targets(batch: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the targets (N, 1) of a batch (3, N), where that is."""
    return batch[TARGETS].view(torch.float64).to(dtype).unsqueeze(1)
