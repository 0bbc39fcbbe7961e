"""Inference: embeddings of images, probabilities of pairs, and the network of a run at work."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arguments, _arrays
from numpy_siamese import functional as F
from numpy_siamese.architectures import ARCHITECTURES, Architecture
from numpy_siamese.data.dataset import checked_images, gather
from numpy_siamese.model import SiameseNet
from numpy_siamese.parallel.blas import single_threaded_blas
from numpy_siamese.parallel.cores import default_threads
from numpy_siamese.parallel.threads import map_in_order

if TYPE_CHECKING:
    from numpy_siamese.runs.config import TrainConfig

Array = np.ndarray

MICRO_BATCH = 200
"""Images in a micro-batch: as many as both sides of one in training have."""

MOST_NUMBERS = 90_000_000
"""Numbers that the windows of a convolution may hold, for all images of a micro-batch.

Those of the recipe's network hold 7 million. Koch's has 16 images in a micro-batch. It is about as
fast with 8 to 64."""


def embed_images(
    net: SiameseNet, images: Array, threads: int | None = None, micro_batch: int | None = None
) -> Array:
    """Embed images, each once.

    Parameters
    ----------
    net : SiameseNet
    images : (n, 28, 28) uint8
        In the library of the net's weights.
    threads : int, optional
        Default: `cores.default_threads`. Arrays of another library than NumPy are worked on by the
        caller's thread alone.
    micro_batch : int, optional
        Images in a micro-batch. Default: `images_at_once`.

    Returns
    -------
    embeddings : (n, 84) of the net's dtype

    Raises
    ------
    TypeError, ValueError
        An argument is of another type, shape or range.
    """
    net, images = _arguments.network(net), checked_images(images)
    if micro_batch is None:
        micro_batch = images_at_once(net.architecture)
    micro_batch = _arguments.count("micro_batch", micro_batch, 1)
    threads = None if threads is None else _arguments.count("threads", threads, 1)
    if type(images) is not np.ndarray:  # a device and its stream are those of this thread
        threads = 1

    def part(start: int) -> Array:
        index = np.arange(start, min(start + micro_batch, len(images)))
        return net.embed(gather(images, index, net.dtype))

    with single_threaded_blas():
        starts = range(0, max(len(images), 1), micro_batch)  # also of no images a part, (0, 84)
        return np.concatenate(list(map_in_order(part, starts, threads)))


def images_at_once(architecture: Architecture) -> int:
    """Return how many images a micro-batch has: `MICRO_BATCH`, or fewer with large windows.

    Parameters
    ----------
    architecture : Architecture

    Returns
    -------
    int
        Even, so that it is a number of pairs.
    """
    pairs = MOST_NUMBERS // (2 * architecture.window_size())
    return min(MICRO_BATCH, 2 * max(pairs, 1))


def pair_probabilities(
    net: SiameseNet,
    images: Array,
    left_index: npt.ArrayLike,
    right_index: npt.ArrayLike,
    threads: int | None = None,
) -> Array:
    """Return the probability that each pair is of the same class.

    The twins share their weights, so an image's embedding depends on neither side nor partner.
    So every image is embedded once, and only embeddings are paired. Only its rounding depends on
    the image's place in a micro-batch.

    Parameters
    ----------
    net : SiameseNet
    images : (n, 28, 28) uint8
    left_index, right_index : (N,) integers
        Into images. An array, list, tuple or pandas Series, which is taken by position.
    threads : int, optional
        Default: `cores.default_threads`.

    Returns
    -------
    (N, 1) of the net's dtype

    Raises
    ------
    TypeError, ValueError, IndexError
        An argument is of another type or shape; an index lies outside [0, n); lengths differ.
    """
    images = checked_images(images)
    left_index = _arrays.index("left_index", left_index, len(images), images)
    right_index = _arrays.index("right_index", right_index, len(images), images)
    _arguments.same_shape(left_index=left_index, right_index=right_index)
    embeddings = embed_images(net, images, threads)
    with single_threaded_blas():
        return net.compare(embeddings[left_index], embeddings[right_index])[0]


class NumpyNetwork:
    """A network at work.

    Parameters
    ----------
    config : TrainConfig
        Its `model`, `seed`, `dtype` and `threads` count.
    weights : dict of name → array, optional
        Default: those that the seed gives.

    Raises
    ------
    KeyError, ValueError, TypeError
        As `SiameseNet.load_state_dict`.
    """

    def __init__(self, config: "TrainConfig", weights: Mapping[str, Array] | None = None) -> None:
        self.threads = config.threads
        architecture = ARCHITECTURES[config.model]
        self.net = SiameseNet(config.seed, np.dtype(config.dtype).type, architecture=architecture)
        if weights is not None:
            self.net.load_state_dict(weights)

    def embed(self, images: Array) -> Array:
        """Embed images.

        Parameters
        ----------
        images : (n, 28, 28) uint8

        Returns
        -------
        embeddings : (n, 84)
        """
        return embed_images(self.net, images, self.threads)

    def compare(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Compare embeddings.

        Parameters
        ----------
        left, right : (N, 84)

        Returns
        -------
        logits, probs : (N, 1)
        """
        with single_threaded_blas():
            logits, _ = self.net.logits(left, right)
        return logits, F.sigmoid(logits)[0]

    def head(self) -> tuple[Array, Array]:
        """Return the head's weight and bias.

        Returns
        -------
        weight : (1, 84)
        bias : (1,)
        """
        weights = self.net.state_dict()
        return weights["fc1.weight"], weights["fc1.bias"]

    def environment(self) -> dict[str, Any]:
        """Return what the network runs on.

        Returns
        -------
        dict
            For `config.json`.
        """
        return {"package": "numpy_siamese", "threads": self.threads or default_threads()}
