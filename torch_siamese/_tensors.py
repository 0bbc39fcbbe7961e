"""What is taken for a tensor: checks that name the argument, and arrays of NumPy as tensors.

The twin of `numpy_siamese._arrays`, which says why nothing passes that merely looks like one.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from numpy_siamese import _arrays


def tensor(name: str, value: Any) -> Tensor:
    """Return the tensor that `value` is.

    Raises
    ------
    TypeError
        It is none.
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

    On a device other than the CPU a look at the positions would wait for it: one outside ends in
    the device's own assertion.

    Raises
    ------
    TypeError, ValueError, IndexError
        No integers (masks are none), more than one axis, or a position outside.
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
    """Return a tensor as it is, and a copy of an array of NumPy, whatever its memory looks like.

    Raises
    ------
    TypeError
        Neither of them, or an array of a dtype that torch has not.
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


def network(value: Any) -> Any:
    """Return a network of PyTorch."""
    if not isinstance(value, nn.Module):
        found = _arrays.type_name(value)
        raise TypeError(f"net must be a SiameseNet of PyTorch, got {found}")
    return value
