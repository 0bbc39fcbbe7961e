"""Inference: embeddings, probabilities, a run's network; the twin of `numpy_siamese.inference`."""

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from numpy_siamese import _arguments
from numpy_siamese.architectures import ARCHITECTURES
from numpy_siamese.data import dataset
from numpy_siamese.parallel.cores import default_threads
from torch_siamese._tensors import from_array, network, same_shape, select, tensor
from torch_siamese.config import TrainConfig
from torch_siamese.data import checked_images, gather
from torch_siamese.device import select_device
from torch_siamese.initialization import initialize
from torch_siamese.model import SiameseNet
from torch_siamese.settings import at_work, in_force, plain_arithmetic

Array = np.ndarray


MICRO_BATCH = 100
"""Images embedded at a time on a CPU. Of 50 to 2,000, this is about the fastest."""

MICRO_BATCH_ON_GPU = 2_000
"""Images at a time on a GPU. They take 0.4 GB there, and its kernels some milliseconds."""


MOST_NUMBERS = 2**26
"""Numbers that a layer may give for all images of a micro-batch: 113 images of Koch's network."""


def embed_images(net: SiameseNet, images: Tensor, micro_batch: int | None = None) -> Tensor:
    """Embed images, each once.

    Parameters
    ----------
    net : SiameseNet
    images : (n, 28, 28) uint8
        On the net's device.
    micro_batch : int, optional
        Images in a micro-batch. Default: 100 on the CPU, 2,000 elsewhere, or fewer for a network
        with large layers.

    Returns
    -------
    embeddings : (n, 84)

    Raises
    ------
    TypeError, ValueError
        An argument is of another type, shape or range.
    """
    net, images = network(net), checked_images(images)
    index = torch.arange(len(images), device=images.device)
    dtype = net.fc1.weight.dtype
    if micro_batch is None:
        most = MICRO_BATCH if images.device.type == "cpu" else MICRO_BATCH_ON_GPU
        described = net.architecture.with_shapes()
        numbers = max(prod(layer.output_shape(shape)) for layer, shape in described)
        micro_batch = max(1, min(most, MOST_NUMBERS // numbers))
    parts = index.split(_arguments.count("micro_batch", micro_batch, 1))
    with plain_arithmetic(images.device), torch.no_grad():
        return torch.cat([net.embed(gather(images, part, dtype)) for part in parts])


def pair_probabilities(
    net: SiameseNet, images: Tensor, left_index: Tensor, right_index: Tensor
) -> Tensor:
    """Return the probability that each pair is of the same class.

    Every image is embedded once, and only embeddings are paired.

    Parameters
    ----------
    net : SiameseNet
    images : (n, 28, 28) uint8
    left_index, right_index : (N,) int64
        Into images.

    Returns
    -------
    probs : (N, 1)

    Raises
    ------
    TypeError, ValueError, IndexError
        An argument is of another type or shape; lengths differ. On the CPU, an index lies outside
        [0, n).
    """
    left_index, right_index = tensor("left_index", left_index), tensor("right_index", right_index)
    same_shape(left_index=left_index, right_index=right_index)
    embeddings = embed_images(net, images)
    with plain_arithmetic(images.device), torch.no_grad():
        left = select("left_index", embeddings, left_index)
        return net.compare(left, select("right_index", embeddings, right_index))


class TorchNetwork:
    """A network at work, on a device. PyTorch's settings are as `TorchLearner` has them.

    Parameters
    ----------
    config : TrainConfig
        Its `model`, `seed`, `dtype`, `threads`, `device` and `algorithms` count.
    weights : dict of name → array, optional
        Default: those that the seed gives.

    Raises
    ------
    RuntimeError, TypeError
        As `SiameseNet.load_state_dict`.
    """

    def __init__(self, config: TrainConfig, weights: Mapping[str, Array] | None = None) -> None:
        self.device = select_device(config.device)
        deterministic = self.device.type == "cuda" and config.algorithms == "deterministic"
        threads = config.threads or default_threads()
        self._at_work = lambda: at_work(self.device, threads, deterministic)
        with self._at_work():
            architecture, dtype = ARCHITECTURES[config.model], getattr(torch, config.dtype)
            self.net = initialize(config.seed, dtype, architecture).to(self.device)
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

        Raises
        ------
        MemoryError
        """
        with self._at_work():
            on_device = from_array("images", dataset.checked_images(images)).to(self.device)
            return embed_images(self.net, on_device).cpu().numpy()

    def compare(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Compare embeddings.

        Parameters
        ----------
        left, right : (N, 84)

        Returns
        -------
        logits, probs : (N, 1)

        Raises
        ------
        MemoryError
        """
        with self._at_work(), torch.no_grad():
            sides = {"left": left, "right": right}
            on_device = [from_array(*side).to(self.device) for side in sides.items()]
            logits = self.net.logits(*on_device)
            return logits.cpu().numpy(), torch.sigmoid(logits).cpu().numpy()

    def head(self) -> tuple[Array, Array]:
        """Return the head's weight and bias.

        Returns
        -------
        weight : (1, 84)
        bias : (1,)
        """
        weight, bias = self.net.fc1.weight, self.net.fc1.bias
        return weight.detach().cpu().numpy(), bias.detach().cpu().numpy()

    def environment(self) -> dict[str, Any]:
        """Return what the network runs on, and the settings in force while it does.

        Returns
        -------
        dict
            For `config.json`.
        """
        with self._at_work():
            return in_force(self.device)
