"""The reader of ONNX files that `torch-siamese export` wrote: the weights, checked."""

import os
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from numpy_siamese.architectures import MNIST, Architecture, Shape
from numpy_siamese.errors import InputError, reason
from numpy_siamese.files.reading import open_input
from numpy_siamese.files.tensors import weights_checksum

Array = np.ndarray

MOST_BYTES = 2**21
"""The most that a file may have. One of the recipe's network has 1.8 MB in float64. Of a larger
network it may have nine bytes a parameter.

Parsed, a file may take a hundred times its size: an empty node has two bytes.
"""

WEIGHTS_SHA256 = "weights_sha256"
"""The entry of a file's metadata that holds `weights_checksum` of its weights."""

_EXPECTED = "an ONNX file of torch-siamese export"


def load_onnx(path: str | os.PathLike[str], architecture: Architecture = MNIST) -> dict[str, Array]:
    """Load the weights of an exported network, for `SiameseNet.load_state_dict` of either package.

    Parameters
    ----------
    path : path-like
    architecture : Architecture
        Of the network that was exported.

    Returns
    -------
    dict of name → array
        In the state dict's order, all float32 or all float64.

    Raises
    ------
    InputError
        The package `onnx` is missing. The file cannot be read, is no ONNX file or larger than
        `MOST_BYTES`. Its initializers have other names, shapes or dtypes than the weights, lie in
        another file, are not finite, or are not those of its checksum.
    """
    onnx = onnx_package()
    most_bytes = max(MOST_BYTES, 9 * architecture.parameter_count())
    with open_input(path, _EXPECTED, most_bytes) as (file, _):
        content = file.read()
    from google.protobuf.message import DecodeError

    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
        weights = _weights(model.graph.initializer, architecture.parameter_shapes())
        told = [entry.value for entry in model.metadata_props if entry.key == WEIGHTS_SHA256]
    except (DecodeError, ValueError) as error:
        raise InputError(f"{path}: found {reason(error)}, expected {_EXPECTED}") from error
    found = weights_checksum(weights)
    if told != [found]:
        raise InputError(
            f"{path}: found weights of SHA-256 {found}, expected {reason(told or 'one')} as in "
            "its metadata"
        )
    return weights


def onnx_package() -> Any:
    """Return the package `onnx`, which nothing else here needs.

    Raises
    ------
    InputError
        It is not installed.
    """
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise InputError(
            "found no package onnx, expected it from: pip install '.[onnx]'"
        ) from error
    return onnx


def _weights(initializers: Sequence[Any], shapes: dict[str, Shape]) -> dict[str, Array]:
    """Return the initializers as arrays. A ValueError says what is wrong with them."""
    if len(initializers) != len(shapes):
        raise ValueError(f"{len(initializers)} initializers and not {len(shapes)}")
    by_name = {tensor.name: tensor for tensor in initializers}
    if by_name.keys() != shapes.keys():
        raise ValueError(
            f"initializers named {', '.join(map(str, by_name))} and not {', '.join(shapes)}"
        )
    weights = {name: _array(by_name[name], shape) for name, shape in shapes.items()}
    if len({value.dtype for value in weights.values()}) > 1:
        raise ValueError("weights of float32 and of float64")
    return weights


def _array(tensor: Any, shape: Shape) -> Array:
    """Return what an initializer holds, in this machine's byte order."""
    dtypes: dict[int, np.dtype] = {tensor.FLOAT: np.dtype("<f4"), tensor.DOUBLE: np.dtype("<f8")}
    dtype = dtypes.get(tensor.data_type)
    if dtype is None:
        raise ValueError(f"{tensor.name} of type {tensor.data_type} and not float or double")
    if len(tensor.dims) != len(shape) or tuple(tensor.dims) != shape:
        raise ValueError(f"{tensor.name} of shape {list(tensor.dims[:8])} and not {list(shape)}")
    if tensor.data_location != tensor.DEFAULT or tensor.external_data:
        raise ValueError(f"{tensor.name} with its numbers in another file")
    if len(tensor.raw_data) != prod(shape) * dtype.itemsize:
        raise ValueError(
            f"{tensor.name} with {len(tensor.raw_data)} bytes and not "
            f"{prod(shape) * dtype.itemsize}"
        )
    value = np.frombuffer(tensor.raw_data, dtype).astype(dtype.newbyteorder("=")).reshape(shape)
    if not np.isfinite(value).all():
        raise ValueError(f"{tensor.name} with values that are not finite")
    return value
