"""The device on which PyTorch computes."""

import torch

from numpy_siamese.errors import InputError, counted


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


def select_rank_device(name: str, local_rank: int, local_size: int) -> None:
    """Make the CUDA device of a rank the current one, if `--device` asks for CUDA.

    Parameters
    ----------
    name : str
        As for `select_device`.
    local_rank, local_size : int
        The rank's number on this node, from 0, and how many there are.

    Raises
    ------
    InputError
        The node has fewer devices than ranks.
    """
    if select_device(name).type != "cuda":
        return
    found = torch.cuda.device_count()
    if found < local_size:
        raise InputError(
            f"--device {name}: found {counted(found, 'CUDA device')} for {local_size} ranks on "
            f"this node, expected one for each, or --device cpu"
        )
    torch.cuda.set_device(local_rank)
