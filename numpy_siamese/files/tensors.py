"""The reader of safetensors files: weights and training state; the checksum of weights."""

import hashlib
import json
import os
import struct
from collections.abc import Mapping

import numpy as np

from numpy_siamese.errors import InputError, reason
from numpy_siamese.files.reading import open_input

Array = np.ndarray

MOST_BYTES = 2**30  # a checkpoint in float64 has 3.6 MB
MOST_HEADER_BYTES = 2**18  # its header has about 2 kB
_LENGTH = struct.Struct("<Q")  # of the header in JSON, which follows
_EXPECTED = "a safetensors file"


def read_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, str]]:
    """Read the tensors of a safetensors file by name, and its metadata.

    The sizes are checked against the file before anything is read. The file is never mapped into
    memory: another process that shortens a mapped file would end this one.

    Parameters
    ----------
    path : path-like
        The header's length, 8 bytes, little-endian; the header in JSON; the tensors' bytes.

    Returns
    -------
    tensors : dict of ndarray
        Of any names, shapes and dtypes that NumPy has.
    metadata : dict of str
        Empty if the file has none.

    Raises
    ------
    InputError
        The file cannot be read, or is no safetensors file. It promises what it does not hold, or
        holds a dtype that NumPy has not. It is larger than 1 GiB, or its header than 256 KiB.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    with open_input(path, _EXPECTED, MOST_BYTES) as (file, size):
        start = file.read(_LENGTH.size)
        if len(start) < _LENGTH.size:
            raise InputError(f"{path}: found {len(start)} bytes, expected {_EXPECTED}")
        (header_size,) = _LENGTH.unpack(start)
        if header_size > min(size - _LENGTH.size, MOST_HEADER_BYTES):
            raise InputError(
                f"{path}: found a header that promises {header_size} bytes in a file of {size}, "
                f"expected {_EXPECTED} with a header of at most {MOST_HEADER_BYTES}"
            )
        content = start + file.read(size - _LENGTH.size)
    try:
        tensors = load(content)
        header = json.loads(content[_LENGTH.size : _LENGTH.size + header_size])
    except (SafetensorError, ValueError, OverflowError, RecursionError) as error:
        raise InputError(f"{path}: found {reason(error)}, expected {_EXPECTED}") from error
    except KeyError as error:
        raise InputError(
            f"{path}: found a tensor of dtype {error}, expected one that NumPy has"
        ) from error
    return tensors, header.get("__metadata__") or {}


def weights_checksum(weights: Mapping[str, Array]) -> str:
    """Return the SHA-256 of weights: of their bytes alone, in the order of their names.

    A number is little-endian, an array in C order. So it is the same for every order of the
    weights, in every file and on every machine.
    """
    digest = hashlib.sha256()
    for name in sorted(weights):
        value = weights[name]
        digest.update(value.astype(value.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()
