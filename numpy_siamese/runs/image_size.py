"""Whether images have the size that a network reads."""

import numpy as np

from numpy_siamese.architectures import ARCHITECTURES
from numpy_siamese.errors import InputError


def check_image_size(source: str, images: np.ndarray, model: str) -> None:
    """Refuse images of another size than a network reads.

    Parameters
    ----------
    source : str
        What the message calls the images.
    images : (n, H, W)
    model : str
        The network's name in `architectures.ARCHITECTURES`.

    Raises
    ------
    InputError
    """
    found, (_, *expected) = images.shape[1:], ARCHITECTURES[model].image_shape
    if found != tuple(expected):
        sizes = ["×".join(map(str, size)) for size in (found, expected)]
        raise InputError(
            f"{source}: found images of {sizes[0]} pixels, expected {sizes[1]} for --model {model}"
        )
