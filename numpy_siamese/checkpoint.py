"""Weights and training state as safetensors, which either package reads."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from numpy_siamese.files import write_atomically
from numpy_siamese.tensor_files import read_tensors

Array = np.ndarray


def save_model(path: Path, state_dict: Mapping[str, Array]) -> None:
    """Save weights under their state-dict names.

    `safetensors.torch.load_file` and `safetensors.numpy.load_file` both read the file.
    """
    _save(path, state_dict, {"format": "np"})


def load_model(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Load the weights of a run, for `SiameseNet.load_state_dict` of either package.

    Raises
    ------
    InputError
        The file cannot be read or is no safetensors file; see `tensor_files.read_tensors`.
    """
    tensors, _ = read_tensors(path)
    return tensors


def save_checkpoint(
    path: Path,
    state_dict: Mapping[str, Array],
    momentum: Mapping[str, Array],
    epoch: int,
    batch: int,
) -> None:
    """Save all that continuing needs beside `config.json`.

    Weights stand under ``model.``, momentum buffers under ``momentum.``; ``progress`` in the
    metadata is a JSON object of how many epochs, and how many batches of the next one, are done.
    """
    tensors = {f"model.{name}": value for name, value in state_dict.items()}
    tensors |= {f"momentum.{name}": value for name, value in momentum.items()}
    _save(path, tensors, {"progress": json.dumps({"epoch": epoch, "batch": batch})})


def _save(path: Path, tensors: Mapping[str, Array], metadata: dict[str, str]) -> None:
    """Write tensors with one entry of metadata: the order of several would vary between runs."""
    from safetensors.numpy import save

    contiguous = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    write_atomically(path, save(contiguous, metadata))
