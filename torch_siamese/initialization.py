"""The network that a seed gives: PyTorch's default initialisation in a chosen dtype."""

import torch

from torch_siamese.model import SiameseNet


def initialize(seed: int, dtype: torch.dtype) -> SiameseNet:
    """Build the network that `seed` gives, on the CPU as its generator is, in `dtype`."""
    default = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        torch.manual_seed(seed)
        return SiameseNet()
    finally:
        torch.set_default_dtype(default)
