"""The device, and images on it."""

import torch
from torch import Tensor

from numpy_siamese.errors import InputError


def select_device(name: str) -> torch.device:
    """Return the device that `--device` names: cpu, cuda, or for auto cuda where there is one.

    Raises
    ------
    InputError
        cuda where there is none.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "--device cuda: found no CUDA device, expected auto or cpu on this machine"
        )
    return torch.device(name)


def gather(images: Tensor, index: Tensor, dtype: torch.dtype) -> Tensor:
    """Take images as the network reads them: (n, 28, 28) uint8 → (N, 1, 28, 28), 0..255."""
    return images[index].unsqueeze(1).to(dtype)
