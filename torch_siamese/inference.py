"""Inference: embeddings and probabilities; the twin of `numpy_siamese.inference`."""

import torch
from torch import Tensor

from numpy_siamese import _arguments
from torch_siamese._tensors import network, same_shape, select, tensor
from torch_siamese.data import checked_images, gather
from torch_siamese.model import SiameseNet
from torch_siamese.settings import plain_arithmetic


def embed_images(net: SiameseNet, images: Tensor, micro_batch: int = 100) -> Tensor:
    """Embed images, each once: (n, 28, 28) uint8 → (n, 84).

    Raises
    ------
    TypeError, ValueError
        An argument is of another type, shape or range.
    """
    net, images = network(net), checked_images(images)
    index = torch.arange(len(images), device=images.device)
    dtype = net.fc1.weight.dtype
    parts = index.split(_arguments.count("micro_batch", micro_batch, 1))
    with plain_arithmetic(images.device), torch.no_grad():
        return torch.cat([net.embed(gather(images, part, dtype)) for part in parts])


def pair_probabilities(
    net: SiameseNet, images: Tensor, left_index: Tensor, right_index: Tensor
) -> Tensor:
    """Return the probability that each pair is of the same class: (N, 1).

    Every image is embedded once, and only embeddings are paired.

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
