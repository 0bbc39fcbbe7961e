"""Turned images as classes of their own: four times as many characters to tell apart."""

import numpy as np

from numpy_siamese.data.dataset import Split

TURNS = 4
"""By 0, 90, 180 and 270 degrees."""


def with_turns(split: Split) -> Split:
    """Return images, and the same turned by 90, 180 and 270 degrees, against the clock.

    Parameters
    ----------
    split : Split
        n square images.

    Returns
    -------
    Split
        4n images. Label l turned r times is 4·l + r.

    Raises
    ------
    ValueError
        Images are not square.

    References
    ----------
    Santoro et al. 2016, *Meta-learning with memory-augmented neural networks*: characters turned by
    multiples of 90 degrees as new classes.
    """
    _, rows, columns = split.images.shape
    if rows != columns:
        raise ValueError(f"images must be square, got {rows}×{columns}")
    turns = range(TURNS)
    images = np.concatenate([np.rot90(split.images, r, axes=(1, 2)) for r in turns])
    labels = np.concatenate([TURNS * split.labels + r for r in turns])
    return Split(images, labels)
