"""What a trained network is worth: its verdict on pairs that it has not seen."""

import numpy as np

from numpy_siamese.blas import single_threaded_blas
from numpy_siamese.data import gather
from numpy_siamese.model import SiameseNet
from numpy_siamese.threads import map_in_order

Array = np.ndarray

THRESHOLD = 0.5
"""A pair is called *same* when its probability is above this."""


def accuracy(probs: Array, targets: Array) -> float:
    """Return the share of pairs whose verdict, same or different, is right."""
    return float(((probs > THRESHOLD) == (targets == 1)).mean())


def embed_images(
    net: SiameseNet, images: Array, threads: int | None = None, micro_batch: int = 200
) -> Array:
    """Embed images, each once: (n, 28, 28) uint8 → (n, 84).

    A micro-batch has as many images as one of training, both sides taken together.
    """

    def part(start: int) -> Array:
        index = np.arange(start, min(start + micro_batch, len(images)))
        return net.embed(gather(images, index, net.dtype))

    with single_threaded_blas():
        return np.concatenate(list(map_in_order(part, range(0, len(images), micro_batch), threads)))


def pair_probabilities(
    net: SiameseNet,
    images: Array,
    left_index: Array,
    right_index: Array,
    threads: int | None = None,
) -> Array:
    """Return the probability that each pair is of the same class.

    The twins share their weights, so an image's embedding depends on no side and no partner: every
    image is embedded once, and only embeddings are paired. (In rounding it depends on the image's
    place in a micro-batch.)

    Parameters
    ----------
    net : SiameseNet
    images : (n, 28, 28) uint8
    left_index, right_index : (N,) integers
        Into images.
    threads : int, optional
        Default: all cores.

    Returns
    -------
    (N, 1) of the net's dtype
    """
    embeddings = embed_images(net, images, threads)
    with single_threaded_blas():
        return net.compare(embeddings[left_index], embeddings[right_index])[0]
