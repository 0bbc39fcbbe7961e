"""Checks of arguments that name the argument, and NumPy arrays as tensors.

The twin of `numpy_siamese._arrays`, which says why what merely looks like an array is refused.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from numpy_siamese import _arrays


def tensor(name: str, value: Any) -> Tensor:
    """Return the value, if it is a tensor.

    Raises
    ------
    TypeError
        It is no tensor.
    """
    if isinstance(value, Tensor):
        return value
    raise TypeError(f"{name} must be a torch.Tensor, got {_arrays.type_name(value)}")


def same_shape(**tensors: Tensor) -> None:
    """Raise ValueError unless all tensors have one shape."""
    shapes = {name: tuple(value.shape) for name, value in tensors.items()}
    if len(set(shapes.values())) > 1:
        found = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"expected one shape for all, got {found}")


def select(name: str, rows: Tensor, index: Any) -> Tensor:
    """Return the rows at positions in [0, n), which the argument `name` holds: (N, …).

    A check of the positions would wait for a device other than the CPU. So there a position outside
    ends in the device's own assertion.

    Raises
    ------
    TypeError, ValueError, IndexError
        The index is a mask or holds no integers; it has more than one axis; a position is outside.
    """
    index = tensor(name, index)
    if index.dtype == torch.bool or index.is_floating_point() or index.is_complex():
        raise TypeError(f"{name} must be integers, got {index.dtype}")
    if index.ndim != 1:
        raise ValueError(f"{name} must have one axis, got shape {tuple(index.shape)}")
    index, n = index.to(torch.int64), len(rows)
    if index.device.type == "cpu" and ((index < 0) | (index >= n)).any():
        outside = index[(index < 0) | (index >= n)][0].item()
        raise IndexError(f"{name} must lie in [0, {n}), got {outside}")
    return rows.index_select(0, index)


def from_array(name: str, value: Any) -> Tensor:
    """Return a tensor as it is, and a NumPy array as a copy, whatever its memory layout.

    Raises
    ------
    TypeError
        The value is neither, or torch lacks the array's dtype.
    """
    if isinstance(value, Tensor):
        return value
    found = _arrays.array(name, value)
    if found.dtype.kind not in "biufc":
        raise TypeError(f"{name} must be numbers, got {found.dtype}")
    try:
        return torch.from_numpy(np.array(found, found.dtype.newbyteorder("="), order="C"))
    except TypeError as error:
        raise TypeError(f"{name} must be numbers that torch has, got {found.dtype}") from error


def pinned(array: np.ndarray, device: torch.device) -> Tensor:
    """Return a copy of an array on the host, ready to be sent to the device.

    A GPU reads page-locked memory of the host by itself, while the host goes on. The memory is used
    again only once that is done.
    """
    found = from_array("array", array)
    return found if device.type == "cpu" else found.pin_memory()


def staged(array: np.ndarray, device: torch.device) -> Tensor:
    """Return a copy of an array on the device, sent without waiting."""
    return pinned(array, device).to(device, non_blocking=True)


def on_host(tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Return tensors of one dtype as arrays of the host, in one copy."""
    if not tensors:
        return {}
    flat = torch.cat([value.detach().reshape(-1) for value in tensors.values()]).cpu()
    parts = flat.split([value.numel() for value in tensors.values()])
    return {
        name: part.reshape(value.shape).numpy()
        for (name, value), part in zip(tensors.items(), parts, strict=True)
    }


def network(value: Any) -> Any:
    """Return the value, if it is a network of PyTorch."""
    if not isinstance(value, nn.Module):
        found = _arrays.type_name(value)
        raise TypeError(f"net must be a SiameseNet of PyTorch, got {found}")
    return value
