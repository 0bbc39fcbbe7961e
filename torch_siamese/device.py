"""The device on which PyTorch computes."""

import torch

from numpy_siamese.errors import InputError


def select_device(name: str) -> torch.device:
    """Return the device that `--device` names. auto is cuda if there is one, else cpu.

    Raises
    ------
    InputError
        cuda is asked for and there is none.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "--device cuda: found no CUDA device, expected auto or cpu on this machine"
        )
    return torch.device(name)
