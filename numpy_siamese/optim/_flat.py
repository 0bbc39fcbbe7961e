"""Arrays that lie one after the other in one flat array."""

from collections.abc import Sequence

import numpy as np

Array = np.ndarray


def shared_buffer(arrays: Sequence[Array]) -> Array | None:
    """Return the flat array whose parts the arrays are, one after the other, or None."""
    base = arrays[0].base if arrays else None
    if type(base) is not np.ndarray or base.ndim != 1 or not base.flags.c_contiguous:
        return None
    if not base.flags.writeable:  # its parts may be writeable all the same
        return None
    start = end = _address(arrays[0])
    for array in arrays:
        if array.base is not base or array.dtype != base.dtype or not array.flags.c_contiguous:
            return None
        if _address(array) != end:
            return None
        end += array.nbytes
    first = (start - _address(base)) // base.itemsize
    return base[first : first + (end - start) // base.itemsize]


def _address(array: Array) -> int:
    return array.__array_interface__["data"][0]
