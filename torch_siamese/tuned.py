"""The network as one would tune it by hand: the same numbers, in another order of the same work."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from numpy_siamese import architectures
from numpy_siamese.architectures import Layer, fuse
from torch_siamese.model import SiameseNet

TOGETHER = 50
"""Pairs up to which a CPU embeds both twins as one batch. That is faster there up to here."""


class TunedNet(nn.Module):
    """The network's own parameters, under their names.

    What pooling drops is not computed. Pooling comes before ReLU, which leaves a quarter to
    rectify, in place: the maximum of rectified numbers is the rectified maximum, and both pass the
    gradient to the same place. The twins are one batch of 2N images where that is faster. The last
    layer takes them one after the other, so the two gradients of its bias cancel exactly.

    Parameters
    ----------
    net : SiameseNet
        Its kernels are laid out anew, with the channel innermost.
    together : float
        Pairs up to which both twins are one batch. Infinity on a GPU, where fewer and larger
        kernels are faster.
    """

    def __init__(self, net: SiameseNet, together: float = TOGETHER) -> None:
        super().__init__()
        self.net, self.fc1 = net.net, net.fc1
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._together = together
        *layers, self._last = map(self._computed, fuse(net.architecture).layers)
        self._layers = layers

    def features(self, images: Tensor) -> Tensor:
        """Return what the last layer embeds: (N, 1, 28, 28) → (N, 120)."""
        y = images
        for layer in self._layers:
            y = layer(y)
        return y

    def embed(self, images: Tensor) -> Tensor:
        """Embed images: (N, 1, 28, 28) → (N, 84)."""
        return self._last(self.features(images))

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """Return the probability that each pair is of the same class: (N, 1)."""
        if len(left) <= self._together:
            twins = self.features(torch.cat([left, right])).chunk(2)
        else:
            twins = self.features(left), self.features(right)
        one, other = map(self._last, twins)
        logits = self.fc1((one - other).abs_())
        return torch.sigmoid(logits.to(self.fc1.weight.dtype))  # 8 bits are too few near 1

    def _computed(self, layer: Layer) -> Callable[[Tensor], Tensor]:
        """Return the function of a fused layer."""
        module = getattr(self.net, getattr(layer, "name", ""), None)
        match layer:
            case architectures.ConvReLUPool(read=(rows, columns)):
                assert module is not None
                return lambda x: F.max_pool2d(module(x[:, :, :rows, :columns]), 2).relu_()
            case architectures.ReLU():
                return torch.relu_
            case architectures.Sigmoid():
                return torch.sigmoid
            case architectures.Scale(factor=factor):
                return lambda x: x * factor
            case architectures.MaxPool2d(kernel_size=size):
                return lambda x: F.max_pool2d(x, size)
            case architectures.Flatten():
                return lambda x: x.flatten(1)  # channel by channel, as the weights are
        assert module is not None
        return module


def tuned(net: SiameseNet, device: torch.device) -> TunedNet:
    """Return the network tuned for a device."""
    return TunedNet(net, TOGETHER if device.type == "cpu" else math.inf)
