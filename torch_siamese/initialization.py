"""The network that a seed gives: PyTorch's default initialisation in a chosen dtype."""

import math

import torch
from torch import nn

from torch_siamese.model import SiameseNet


def initialize(seed: int, dtype: torch.dtype) -> SiameseNet:
    """Build the network that `seed` gives, in `dtype`, on the CPU.

    Its weights are those of ``torch.manual_seed(seed); SiameseNet()`` under this default dtype, bit
    for bit. It neither reads nor changes the default device, the default dtype or the global
    generators. So several threads may build at once.

    Parameters
    ----------
    seed : int in [−2⁶³, 2⁶⁴)
    dtype : torch.float32 or torch.float64

    Raises
    ------
    ValueError
        The seed is out of these bounds.
    """
    generator = torch.Generator("cpu")
    generator.manual_seed(seed)
    with torch.inference_mode(False):  # parameters made within could never be learned
        with torch.device("meta"):  # shapes only: nothing is drawn
            net = SiameseNet()
        net.to(dtype).to_empty(device="cpu")
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                _draw(layer, generator)
    return net


def _draw(layer: nn.Conv2d | nn.Linear, generator: torch.Generator) -> None:
    """Draw weight and bias as the layer's own `reset_parameters` does, from a given generator."""
    assert layer.bias is not None
    nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
    bound = 1 / math.sqrt(layer.weight[0].numel())  # fan_in
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
