"""What people hand over in place of arrays."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd


class Subclass(np.ndarray):
    """An array that could redefine anything."""


class Convertible:
    """What NumPy converts to an array, and what has a shape and a dtype."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.array, dtype)


def shuffled(values: Any) -> pd.Series:
    """Return a Series whose labels are not its positions: what a shuffled split leaves."""
    values = list(values)
    return pd.Series(values, index=np.arange(len(values))[::-1])


def impostors(array: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Yield what looks like `array` and is none, each with the name of its type."""
    rows = np.atleast_1d(array)
    table = rows.reshape(len(rows), -1)
    yield "None", None
    yield "list", rows.tolist()
    yield "tuple", tuple(rows.tolist())
    yield "str", "array"
    yield "dict", {0: array}
    yield "memoryview", np.ascontiguousarray(array).data
    yield "pandas.Series", shuffled(rows)
    yield "pandas.DataFrame", pd.DataFrame(table)
    yield "pandas.Index", pd.Index(rows.ravel())
    yield "numpy.matrix", table.view(np.matrix)
    yield "numpy.MaskedArray", np.ma.masked_array(array, array == array.flat[0])
    yield "numpy_siamese.Subclass", array.view(Subclass)
    yield "numpy_siamese.Convertible", Convertible(array)


def wrong_dtypes(array: np.ndarray) -> Iterator[np.ndarray]:
    """Yield `array` in dtypes in which nothing is computed."""
    swapped = array.dtype.newbyteorder("S")
    for dtype in (swapped, np.float16, np.longdouble, np.int64, bool, complex, object, "U8"):
        yield array.astype(dtype)
    yield np.zeros(array.shape, [("field", array.dtype)])


def refusal(call: Callable[[], Any], kind: type[Exception], *words: str) -> str | None:
    """Return None if a call raises the error, with all words in its message; else what it did."""
    try:
        call()
    except kind as error:
        missing = [word for word in words if word not in str(error)]
        return f"{missing} not in {str(error)!r}" if missing else None
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "no error"
