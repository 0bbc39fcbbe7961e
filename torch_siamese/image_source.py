"""Training images where a step reads them: all on the device, or those of the next batches."""

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from torch_siamese._tensors import pinned, staged
from torch_siamese.blocks import LEFT, RIGHT

Array = np.ndarray

PAIRS_AT_A_TIME = 100_000
"""Pairs of a block, whose indices go to the device in one transfer: an epoch of the recipe."""

SHARE_OF_MEMORY = 0.5
"""Of a GPU's free memory, what images may take before they are streamed."""

STREAMED_BYTES = 64 * 2**20
"""Images streamed at a time. The transfer takes some milliseconds, their steps far more."""


class ImageSource(Protocol):
    """Images for blocks of batches."""

    def room(self, pairs: int) -> tuple[Tensor, int]:
        """Return images at an address that stays, and how many batches of a size one block has."""

    def take(self, images: Tensor, block: Array) -> Array:
        """Put the images of a block in place, and return the block with indices into them."""


class ResidentImages:
    """All images, on the device for good.

    Parameters
    ----------
    images : (n, H, W) uint8
    device : torch.device
    """

    def __init__(self, images: Array, device: torch.device) -> None:
        self._images = staged(images, device)

    def room(self, pairs: int) -> tuple[Tensor, int]:
        """Return the images, and how many batches one block has."""
        return self._images, max(1, PAIRS_AT_A_TIME // pairs)

    def take(self, images: Tensor, block: Array) -> Array:
        """Return the block as it is."""
        return block


class StreamedImages:
    """Images that stay on the host. Those of the next batches follow while the device works.

    Parameters
    ----------
    images : (n, H, W) uint8
    device : torch.device
    """

    def __init__(self, images: Array, device: torch.device) -> None:
        self._images, self._device = images, device

    def room(self, pairs: int) -> tuple[Tensor, int]:
        """Return room for the images of a block, and how many batches one block has."""
        _, *shape = self._images.shape
        of_batch = 2 * pairs * int(np.prod(shape))
        batches = max(1, min(PAIRS_AT_A_TIME // pairs, STREAMED_BYTES // of_batch))
        room = torch.empty((batches * 2 * pairs, *shape), dtype=torch.uint8, device=self._device)
        return room, batches

    def take(self, images: Tensor, block: Array) -> Array:
        """Send the block's images, and return the block with their places there."""
        sides = block[:, [LEFT, RIGHT]]
        images[: sides.size].copy_(
            pinned(self._images[sides.ravel()], self._device), non_blocking=True
        )
        moved = block.copy()
        moved[:, [LEFT, RIGHT]] = np.arange(sides.size).reshape(sides.shape)
        return moved


def image_source(images: Array, device: torch.device) -> ImageSource:
    """Return the images on the device, or streamed there if they take much of its memory.

    Parameters
    ----------
    images : (n, H, W) uint8
    device : torch.device
    """
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        if images.nbytes > SHARE_OF_MEMORY * free:
            return StreamedImages(images, device)
    return ResidentImages(images, device)
