"""Batches of pairs as one block of numbers, which goes to the device in one transfer.

A block is (n, 3, N) int64: for each of n batches its left indices, its right indices and its
targets. Targets are float64, of which the block holds the bits.
"""

import numpy as np
import torch
from torch import Tensor

Array = np.ndarray

LEFT, RIGHT, TARGETS = range(3)


def packed(left_index: Array, right_index: Array, truth: Array) -> Array:
    """Return one batch of a block.

    Parameters
    ----------
    left_index, right_index : (N,) int64
    truth : (N, 1) float64

    Returns
    -------
    (3, N) int64
    """
    bits = np.ascontiguousarray(truth[:, 0], np.float64).view(np.int64)
    return np.stack([left_index, right_index, bits])


def targets(batch: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the targets (N, 1) of a batch (3, N), where that is."""
    return batch[TARGETS].view(torch.float64).to(dtype).unsqueeze(1)
