"""Views of images: each image itself, and distorted. A network judges by the mean of several."""

import numpy as np

from numpy_siamese import _arguments, _arrays
from numpy_siamese.data.dataset import checked_images
from numpy_siamese.data.distortions import Distortions, resampled

Array = np.ndarray

VIEW_STRENGTH = 0.7
"""Of the distortions, as a share of those that Koch et al. learn from."""


def view(images: Array, places: Array, number: int, seed: int = 0) -> Array:
    """Return one view of images.

    View 0 are the images. In every other view each image is distorted, as a pure function of seed,
    number and the image's place in a list.

    Parameters
    ----------
    images : (n, H, W) uint8
    places : (n,) int64
        Where each stands in the list, from 0.
    number : int
        At least 0.
    seed : int
        Taken modulo 2¹²⁸.

    Returns
    -------
    (n, H, W) uint8

    Raises
    ------
    TypeError, ValueError
        No such arrays or numbers.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((1, 28, 28), np.uint8)
    >>> image[0, 10:18, 13:15] = 255
    >>> [bool((view(image, np.array([7]), v) == image).all()) for v in range(2)]
    [True, False]
    """
    images = checked_images(images)
    number = _arguments.count("number", number, 0)
    places = _arrays.array("places", places)
    if places.shape != (len(images),):
        raise ValueError(f"places must be ({len(images)},) as images are, got {places.shape}")
    if places.dtype.kind not in "iu":
        raise TypeError(f"places must be integers, got {places.dtype}")
    if number == 0 or len(images) == 0:
        return images
    if places.min() < 0:
        raise ValueError(f"places must be at least 0, got {places.min()}")
    distortions = Distortions(seed, VIEW_STRENGTH, "test")
    matrices, shifts = distortions.maps(int(places.max()) + 1, number, 0, "left")
    return resampled(images, matrices[places], shifts[places] * images.shape[1:])
