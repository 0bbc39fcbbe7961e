"""What a trained network is worth; the twin of `numpy_siamese.evaluation`."""

import torch
from torch import Tensor

from numpy_siamese.evaluation import THRESHOLD
from torch_siamese.data import gather
from torch_siamese.model import SiameseNet
from torch_siamese.settings import plain_arithmetic


def accuracy(probs: Tensor, targets: Tensor) -> float:
    """Return the share of pairs whose verdict, same or different, is right."""
    return ((probs > THRESHOLD) == (targets == 1)).double().mean().item()


def embed_images(net: SiameseNet, images: Tensor, batch: int = 100) -> Tensor:
    """Embed images, each once: (n, 28, 28) uint8 → (n, 84)."""
    index = torch.arange(len(images), device=images.device)
    dtype = net.fc1.weight.dtype
    with plain_arithmetic(images.device), torch.no_grad():
        return torch.cat([net.embed(gather(images, part, dtype)) for part in index.split(batch)])


def pair_probabilities(
    net: SiameseNet, images: Tensor, left_index: Tensor, right_index: Tensor
) -> Tensor:
    """Return the probability that each pair is of the same class: (N, 1).

    Every image is embedded once, and only embeddings are paired.
    """
    embeddings = embed_images(net, images)
    with plain_arithmetic(images.device), torch.no_grad():
        return net.compare(embeddings[left_index], embeddings[right_index])
