"""PyTorch as one would tune it by hand for a CPU: the fastest it has been seen to do this."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.backends import verification
from benchmarks.backends.base import LR, MOMENTUM
from benchmarks.backends.torch_backend import OPERATIONS, TorchBackend
from numpy_siamese.architectures import MNIST, fuse
from torch_siamese.model import SiameseNet

READ = fuse(MNIST).layers[0].read[0]
"""Rows and columns, of 28, that pooling keeps: conv2 reads 12 of conv1's 13, for 10 of its 11."""

TOGETHER = 50
"""Pairs up to which both twins are one batch, which is then faster than one after the other."""

MICRO_BATCH = 200
"""Pairs at a time of larger batches: few enough for the cache."""


class TunedNet(nn.Module):
    """The network's own parameters, under their names, with another order of the same work.

    What pooling drops is not computed; pooling comes before ReLU, which leaves a quarter to
    rectify, in place; from conv1's output on, everything lies with the channel innermost.
    """

    def __init__(self, net: SiameseNet) -> None:
        super().__init__()
        self.net, self.fc1 = net.net, net.fc1

    def features(self, images: Tensor) -> Tensor:
        """Return what fc2 embeds: (N, 1, 28, 28) → (N, 120)."""
        net = self.net
        y = F.max_pool2d(net.conv1(images[:, :, :READ, :READ]), 2).relu_()  # (N, 32, 12, 12)
        y = F.max_pool2d(net.conv2(y), 2).relu_()  # (N, 64, 5, 5)
        return net.fc1(y.flatten(1)).relu_()  # channel-major, as the weights are

    def embed(self, images: Tensor) -> Tensor:
        """Embed images: (N, 1, 28, 28) → (N, 84)."""
        return self.net.fc2(self.features(images))

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """Return the probability that each pair is of the same class: (N, 1).

        fc2 takes the twins one after the other, at no cost that shows: the two gradients of its
        bias are opposite, and so cancel exactly.
        """
        if len(left) <= TOGETHER:
            twins = self.features(torch.cat([left, right])).chunk(2)
        else:
            twins = self.features(left), self.features(right)
        one, other = map(self.net.fc2, twins)
        return torch.sigmoid(self.fc1((one - other).abs_()))


class TunedTorchBackend(TorchBackend):
    """PyTorch by hand, in float32 on the CPU."""

    operations = OPERATIONS | {
        "conv_relu_pool": lambda x, weight, bias: F.max_pool2d(F.conv2d(x, weight, bias), 2).relu_()
    }

    def __init__(self, name: str) -> None:
        super().__init__(name, channels_last=True)
        self.most_pairs = math.inf

    @contextmanager
    def verified(self) -> Iterator[None]:
        """See that threads and layout are what they should be."""
        checks = verification.on_threads(self._threads), verification.activations_channels_last
        with verification.Watch(*checks):
            yield

    def bytes_per_pair(self) -> float:
        """Return the size of two images in float32; all else is a micro-batch's."""
        return 2 * 784 * 4

    def _net(self) -> Any:
        return TunedNet(super()._net())

    def _optimizer(self, net: Any) -> torch.optim.SGD:
        return torch.optim.SGD(net.parameters(), lr=LR, momentum=MOMENTUM, fused=True)

    def _loss_and_grads(
        self,
        net: Any,
        forward: Callable[..., Tensor],
        left: Tensor,
        right: Tensor,
        targets: Tensor,
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Add up what micro-batches give, each with its share of the pairs."""
        whole = super()._loss_and_grads
        if len(left) <= MICRO_BATCH:
            return whole(net, forward, left, right, targets)
        loss, probs, grads = torch.zeros(()), [], [torch.zeros_like(p) for p in net.parameters()]
        batches = (x.split(MICRO_BATCH) for x in (left, right, targets))
        for part in zip(*batches, strict=True):
            part_loss, part_probs, part_grads = whole(net, forward, *part)
            share = len(part_probs) / len(left)
            loss += share * part_loss
            probs.append(part_probs)
            torch._foreach_add_(grads, part_grads, alpha=share)
        return loss, torch.cat(probs), tuple(grads)
