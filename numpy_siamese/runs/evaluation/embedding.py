"""Images embedded for an evaluation, with signs of progress between."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from numpy_siamese.errors import InputError
from numpy_siamese.evaluation.one_shot import Embedded
from numpy_siamese.runs.network import NOT_DIVERGED, Network

Array = np.ndarray

BLOCK = 2000
"""Images embedded between two signs of progress: whole micro-batches of both packages."""


def embedded(network: Network, images: Array, progress: Callable[[float], None]) -> Embedded:
    """Embed images, and tell after each block which share of them is done.

    Parameters
    ----------
    network : Network
    images : (n, H, W) uint8
        At least one.
    progress : callable
    """
    parts = []
    for start in range(0, len(images), BLOCK):
        parts.append(network.embed(images[start : start + BLOCK]))
        progress(min(start + BLOCK, len(images)) / len(images))
    return Embedded(np.concatenate(parts), *network.head())


def check_finite(run: Path, *arrays: Array) -> None:
    """Refuse the numbers of a network that has diverged.

    Raises
    ------
    InputError
        One is not finite.
    """
    if not all(np.isfinite(array).all() for array in arrays):
        raise InputError(f"{run}: found embeddings or logits that are not finite, {NOT_DIVERGED}")
