"""The network that a seed gives: PyTorch's default initialisation, or the architecture's own."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from numpy_siamese.architectures import MNIST, Architecture, NormalInitialization
from torch_siamese.model import SiameseNet

BLOCK = 2**20
"""Normal numbers that are drawn at a time, since they are float64 before they are rounded."""


def initialize(seed: int, dtype: torch.dtype, architecture: Architecture = MNIST) -> SiameseNet:
    """Build the network that `seed` gives, in `dtype`, on the CPU.

    Its weights are those of ``torch.manual_seed(seed); SiameseNet(architecture)`` under this
    default dtype, bit for bit, unless the architecture has an initialisation of its own. It neither
    reads nor changes the default device, the default dtype or the global generators. So several
    threads may build at once.

    Parameters
    ----------
    seed : int in [−2⁶³, 2⁶⁴)
    dtype : torch.float32 or torch.float64
    architecture : Architecture
        Default: the recipe's network.

    Raises
    ------
    ValueError
        The seed is out of these bounds.
    """
    generator = torch.Generator("cpu")
    generator.manual_seed(seed)
    own = architecture.initialization
    words = np.random.RandomState(seed % 2**32)
    with torch.inference_mode(False):  # parameters made within could never be learned
        with torch.device("meta"):  # shapes only: nothing is drawn
            net = SiameseNet(architecture)
        net.to(dtype).to_empty(device="cpu")
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                _draw_normal(layer, own, words) if own else _draw(layer, generator)
        if architecture.first_head is not None:
            nn.init.constant_(net.fc1.weight, architecture.first_head.weight)
            nn.init.constant_(net.fc1.bias, architecture.first_head.bias)
    return net


def _draw(layer: nn.Conv2d | nn.Linear, generator: torch.Generator) -> None:
    """Draw weight and bias as the layer's own `reset_parameters` does, from a given generator."""
    nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
    bound = 1 / math.sqrt(layer.weight[0].numel())  # fan_in
    if layer.bias is not None:
        nn.init.uniform_(layer.bias, -bound, bound, generator=generator)


def _draw_normal(
    layer: nn.Conv2d | nn.Linear, own: NormalInitialization, words: np.random.RandomState
) -> None:
    """Draw weight and bias from normal distributions, with NumPy's numbers.

    Those of PyTorch depend on the processor, and on whether a tensor has 16 elements.
    """
    std = own.conv2d if isinstance(layer, nn.Conv2d) else own.linear
    for parameter, mean, spread in (
        (layer.weight, 0.0, std),
        (layer.bias, own.bias_mean, own.bias_std),
    ):
        if parameter is None:
            continue
        values: Tensor = parameter.detach().view(-1)
        for block in values.split(BLOCK):
            block.copy_(torch.from_numpy(words.standard_normal(len(block)) * spread + mean))
