"""NumPy's functions for strict arrays, with the names and the arguments that CuPy's have.

References
----------
CuPy, ``cupy/_creation/basic.py``, ``cupy/_creation/from_data.py``, ``cupy/_manipulation/join.py``,
``cupy/_manipulation/basic.py``, ``cupy/_sorting/search.py`` and ``cupy/_statistics/order.py``.
"""

from typing import Any

import numpy as np

from numpy_siamese.tests.support import strict_array

Shape = Any


def empty(shape: Shape, dtype: Any = float, order: Any = "C") -> Any:
    """Fill with what is never a result, so that an element not written shows."""
    found = np.empty(shape, dtype, order=order)
    return strict_array.wrapped(_spoiled(found))


def zeros(shape: Shape, dtype: Any = float, order: Any = "C") -> Any:
    return strict_array.wrapped(np.zeros(shape, dtype, order=order))


def ones(shape: Shape, dtype: Any = float, order: Any = "C") -> Any:
    return strict_array.wrapped(np.ones(shape, dtype, order=order))


def empty_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: None = None, shape: Shape | None = None
) -> Any:
    """As CuPy, take a shape of 0 or () for none, and for another shape memory of the prototype's.

    The latter it does where it keeps the order of a prototype that is contiguous in neither way.
    """
    assert subok is None
    keeps = order == "K" and not (a.flags.c_contiguous or a.flags.f_contiguous)
    if keeps and shape and np.ndim(shape) and len(shape) == a.ndim and np.prod(shape) > a.size:
        raise MemoryError("CuPy would write beyond the end of the array")
    return strict_array.wrapped(_spoiled(np.empty_like(a._host, dtype, order, shape=shape or None)))


def zeros_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: None = None, shape: Shape | None = None
) -> Any:
    found = empty_like(a, dtype, order, subok, shape)
    found.fill(0)
    return found


def ones_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: None = None, shape: Shape | None = None
) -> Any:
    found = empty_like(a, dtype, order, subok, shape)
    found.fill(1)
    return found


def asarray(a: Any, dtype: Any = None) -> Any:
    return strict_array.asarray(a, dtype)


def concatenate(tup: Any, axis: int = 0) -> Any:
    return strict_array.wrapped(np.concatenate([strict_array.host(x) for x in tup], axis))


def stack(tup: Any, axis: int = 0) -> Any:
    return strict_array.wrapped(np.stack([strict_array.host(x) for x in tup], axis))


def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = None) -> None:
    chosen = True if where is None else strict_array.host(where)
    np.copyto(dst._host, strict_array.host(src), casting=casting, where=chosen)


def where(condition: Any, x: Any, y: Any) -> Any:
    return strict_array.wrapped(np.where(*map(strict_array.host, (condition, x, y))))


def max(a: Any, axis: Any = None) -> Any:
    return a.max(axis)


def broadcast_to(array: Any, shape: Shape) -> Any:
    return strict_array.wrapped(np.broadcast_to(array._host, shape), array)


def _spoiled(found: np.ndarray) -> np.ndarray:
    """Fill an array with NaN, or the largest integer."""
    found.fill(np.nan if found.dtype.kind == "f" else np.iinfo(found.dtype).max)
    return found
