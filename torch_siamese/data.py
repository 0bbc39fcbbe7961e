"""Images on the device."""

import torch
from torch import Tensor

from torch_siamese._tensors import select, tensor


def gather(images: Tensor, index: Tensor, dtype: torch.dtype) -> Tensor:
    """Take images as the network reads them.

    Parameters
    ----------
    images : (n, 28, 28) uint8
    index : (N,) integers, each from 0 to n − 1
    dtype : torch.float32 or torch.float64

    Returns
    -------
    (N, 1, 28, 28), raw pixel values 0..255

    Raises
    ------
    TypeError, ValueError, IndexError
        An argument is of another type or shape. On the CPU, an index lies outside [0, n).
    """
    return select("index", checked_images(images), index).unsqueeze(1).to(dtype)


def checked_images(images: Tensor) -> Tensor:
    """Return images, if they are (n, H, W) uint8."""
    images = tensor("images", images)
    if images.dtype != torch.uint8:
        raise TypeError(f"images must be torch.uint8, got {images.dtype}")
    if images.ndim != 3:
        raise ValueError(f"images must be (n, 28, 28), got {tuple(images.shape)}")
    return images
