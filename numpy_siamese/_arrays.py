"""What an array is: which arguments are taken as they are, which are converted, which refused.

An array of another kind that passes for NumPy's gives wrong numbers without a word. A pandas Series
is indexed and added by its labels, not by position. A numpy.matrix multiplies as matrices do. A
masked array shows what it masks. So the mathematics takes exact arrays and refuses the rest.
Labels, targets and indices may be whatever NumPy lays out by position.
"""

from numbers import Integral, Real
from typing import Any

import numpy as np

Array = np.ndarray

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))

UNIFORM_KINDS = (str, bytes, Integral, Real)
"""What an array of objects may consist of, one of them throughout."""


def type_name(value: Any) -> str:
    """Return a value's type as its users call it: `list`, `None`, `pandas.Series`."""
    if value is None:
        return "None"
    cls = type(value)
    package = cls.__module__.partition(".")[0]
    return cls.__qualname__ if package == "builtins" else f"{package}.{cls.__qualname__}"


def array(name: str, value: Any) -> Array:
    """Return the array that `value` is.

    That is a numpy.ndarray and no subclass of it. Of a memmap the view as an ndarray is returned. A
    NumPy scalar is an array of no axes: operations return such. CuPy's arrays follow NumPy in all
    that is done here. They are known by their name, so that nothing needs to be imported. Nothing
    else that merely looks like an array passes.

    Raises
    ------
    TypeError
        It is none of these; the message says its type and, if there is one, the safe way.
    """
    if type(value) is np.ndarray:
        return value
    if type(value) is np.memmap:
        return value.view(np.ndarray)
    if isinstance(value, np.generic):
        return np.asarray(value)
    if type_name(value) == "cupy.ndarray":
        return value
    raise TypeError(f"{name} must be a numpy.ndarray, got {type_name(value)}{_advice(value)}")


def floats(optional: tuple[str, ...] = (), **arguments: Any) -> tuple[Any, ...]:
    """Return the arguments as arrays, all of float32 or all of float64.

    Raises
    ------
    TypeError
        One is no such array, or None without being `optional`, or of another dtype than the first.
    """
    found: list[Array | None] = []
    first, of_first = "", None
    for name, value in arguments.items():
        if value is None and name in optional:
            found.append(None)
            continue
        x = value if type(value) is np.ndarray else array(name, value)
        if x.dtype not in FLOATS:
            raise TypeError(f"{name} must be a float32 or float64 array, got {x.dtype}")
        if of_first is None:
            first, of_first = name, x.dtype
        elif x.dtype != of_first:
            raise TypeError(f"{name} is {x.dtype}, but {first} is {of_first}: one dtype for all")
        found.append(x)
    return tuple(found)


def of_dtype(dtype: type[np.floating], **arguments: Any) -> tuple[Any, ...]:
    """Return the arguments as arrays, all of the dtype of a network."""
    found = []
    for name, value in arguments.items():
        x = array(name, value)
        if x.dtype != dtype:
            raise TypeError(f"{name} must be {np.dtype(dtype)} as the network is, got {x.dtype}")
        found.append(x)
    return tuple(found)


def float_type(name: str, value: Any) -> type[np.floating]:
    """Return numpy.float32 or numpy.float64, given it or its dtype."""
    if isinstance(value, (type, np.dtype)) and value in (np.float32, np.float64):
        return np.dtype(value).type
    raise TypeError(f"{name} must be numpy.float32 or numpy.float64, got {value}")


def by_position(name: str, value: Any) -> Array:
    """Return an array of what `value` lists, by position: what pandas has as index plays no part.

    Lists, tuples, pandas objects, tensors: whatever NumPy converts. Objects are converted if they
    are all strings or all numbers, and left as objects otherwise: a missing label is no string.

    Raises
    ------
    TypeError
        Not an array and not a sequence, or an array that NumPy's rules would misread.
    """
    if isinstance(value, (np.ndarray, np.generic)):
        found = array(name, value)
    else:
        try:
            found = np.asarray(value)
        except Exception as error:  # a conversion is foreign code
            raise TypeError(
                f"{name} must be an array or a sequence, got {type_name(value)}: {error}"
            ) from error
    if found.ndim == 0:
        raise TypeError(f"{name} must be an array or a sequence, got {type_name(value)}")
    if found.dtype.kind not in "OUST":
        return found
    objects = np.asarray(value, dtype=object)
    listed = objects.ravel().tolist()
    for kind in UNIFORM_KINDS:
        if all(isinstance(item, kind) for item in listed):
            return np.array(listed).reshape(objects.shape)
    return objects


def real(name: str, value: Any, dtype: type[np.floating]) -> Array:
    """Return an array of the real numbers that `value` lists, by position; bools are 0 and 1."""
    found = by_position(name, value)
    if found.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be real numbers, got {found.dtype}")
    with np.errstate(under="ignore", over="ignore"):  # to 0 and to ∞
        return found.astype(dtype, copy=False)


def index(name: str, value: Any, n: int) -> Array:
    """Return positions in an axis of length n: (N,) int64, each from 0 to n − 1.

    Raises
    ------
    TypeError, ValueError, IndexError
        No integers (masks are none), more than one axis, or a position below 0 or above n − 1.
    """
    found = by_position(name, value)
    if found.size and found.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, got {found.dtype}")
    if found.ndim != 1:
        raise ValueError(f"{name} must have one axis, got shape {found.shape}")
    positions = found.astype(np.int64, copy=False)
    if found.size and positions.view(np.uint64).max() >= n:  # what is negative is then above 2⁶³
        outside = found[(found < 0) | (found >= n)][0]
        raise IndexError(f"{name} must lie in [0, {n}), got {outside}")
    return positions


def _advice(value: Any) -> str:
    """Return how the user gets an array of a value, if that is safe to say."""
    for method in ("to_numpy", "toarray", "filled", "numpy"):
        if callable(getattr(value, method, None)):
            return f"; use its .{method}()"
    return "; use numpy.asarray" if hasattr(value, "__array__") else ""
