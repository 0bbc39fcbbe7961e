"""Batches of pairs as one block of numbers, which goes to the device in one transfer.

A block is (n, 3, N) int64: for each of n batches its left indices, its right indices and its
targets. Targets are float64, of which the block holds the bits.
"""

import numpy as np
import torch
from torch import Tensor

Array = np.ndarray

LEFT, RIGHT, TARGETS = range(3)


def packed(left_index: Array, right_index: Array, targets: Array) -> Array:
    """Return one batch of a block.

    Parameters
    ----------
    left_index, right_index : (N,) int64
    targets : (N, 1) float64

    Returns
    -------
    (3, N) int64
    """
    bits = np.ascontiguousarray(targets[:, 0], np.float64).view(np.int64)
    return np.stack([left_index, right_index, bits])


def unpacked(batch: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Return left indices (N,), right indices (N,) and targets (N, 1) of a batch on the device."""
    targets = batch[TARGETS].view(torch.float64).to(dtype).unsqueeze(1)
    return batch[LEFT], batch[RIGHT], targets
