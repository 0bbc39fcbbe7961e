"""What an array is: which arguments are taken as they are, which are converted, which refused.

An array of another kind that passes for NumPy's gives wrong numbers without a word. A pandas Series
is indexed and added by its labels, not by position. A numpy.matrix multiplies as matrices do. A
masked array shows what it masks. So the mathematics takes exact arrays and refuses the rest.
Labels, targets and indices may be whatever NumPy lays out by position.

An array of another library is exact too if the library follows NumPy, as CuPy does. NumPy's own
functions then call those of the library, and nothing is copied to the host.
"""

from numbers import Integral, Real
from typing import Any

import numpy as np

Array = np.ndarray

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))

UNIFORM_KINDS = (str, bytes, Integral, Real)
"""What an array of objects may consist of, one of them throughout."""

PROTOCOLS = ("__array_function__", "__array_ufunc__")
"""By which NumPy's functions call those of another library (NEP 18 and NEP 13)."""

MEMBERS = (
    *("astype", "base", "copy", "dtype", "fill", "flags", "itemsize", "nbytes", "ravel", "reshape"),
    *("shape", "strides", "swapaxes", "take", "transpose", "view"),
    *("__getitem__", "__setitem__", "__iadd__", "__matmul__"),
)
"""What the mathematics asks an array for, apart from arithmetic."""


def type_name(value: Any) -> str:
    """Return a value's type as its users call it: `list`, `None`, `pandas.Series`."""
    if value is None:
        return "None"
    return type_name_of(type(value))


def type_name_of(cls: type) -> str:
    """Return a type as its users call it."""
    package = cls.__module__.partition(".")[0]
    return cls.__qualname__ if package == "builtins" else f"{package}.{cls.__qualname__}"


def array(name: str, value: Any) -> Array:
    """Return the array that `value` is.

    That is a numpy.ndarray and no subclass of it. Of a memmap the view as an ndarray is returned. A
    NumPy scalar is an array of no axes: operations return such. An array of a library that
    `follows_numpy` is returned as it is. Nothing else that merely looks like an array passes.

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
    if follows_numpy(type(value)):
        return value
    raise TypeError(f"{name} must be a numpy.ndarray, got {type_name(value)}{_advice(value)}")


def follows_numpy(kind: type) -> bool:
    """Return whether arrays of this type compute as NumPy's do, in a library of their own.

    Their class implements both protocols of NumPy, and has all `MEMBERS`. So nothing needs to be
    imported to know one. A subclass of numpy.ndarray is none: it may redefine anything.
    """
    if issubclass(kind, np.ndarray):
        return False
    dispatches = all(callable(getattr(kind, protocol, None)) for protocol in PROTOCOLS)
    return dispatches and all(hasattr(kind, member) for member in MEMBERS)


def library(x: Any) -> type:
    """Return the type of an array that was checked: numpy.ndarray for whatever is NumPy's."""
    return np.ndarray if isinstance(x, (np.ndarray, np.generic)) else type(x)


def one_library(name: str, x: Any, other: str, y: Any) -> None:
    """Raise TypeError unless two arrays are of one library: nothing is copied unasked."""
    if library(x) is not library(y):
        found, expected = (f"a {type_name_of(library(array))}" for array in (x, y))
        raise TypeError(f"{name} is {found}, but {other} {expected}: one kind of array for all")


def beside(like: Any, x: Any, name: str, other: str) -> Array:
    """Return x, an array that was checked, in the library of `like`, which a message calls `other`.

    What lies in NumPy may be copied there. Nothing is copied back.
    """
    if library(x) is np.ndarray and library(like) is not np.ndarray:
        return np.asarray(x, like=like)
    one_library(name, x, other, like)
    return x


def floats(optional: tuple[str, ...] = (), **arguments: Any) -> tuple[Any, ...]:
    """Return the arguments as arrays, all of float32 or all of float64.

    Raises
    ------
    TypeError
        One is no such array, or None without being `optional`, or of another dtype than the first.
    """
    found: list[Array | None] = []
    first, of_first, kind = "", None, None
    for name, value in arguments.items():
        if value is None and name in optional:
            found.append(None)
            continue
        x = value if type(value) is np.ndarray else array(name, value)
        if x.dtype not in FLOATS:
            raise TypeError(f"{name} must be a float32 or float64 array, got {x.dtype}")
        if of_first is None:
            first, of_first, kind = name, x.dtype, type(x)
        elif x.dtype != of_first:
            raise TypeError(f"{name} is {x.dtype}, but {first} is {of_first}: one dtype for all")
        elif type(x) is not kind:
            one_library(name, x, first, arguments[first])
        found.append(x)
    return tuple(found)


def of_dtype(dtype: type[np.floating], **arguments: Any) -> tuple[Any, ...]:
    """Return the arguments as arrays, all of the dtype of a network."""
    found: list[Array] = []
    first = next(iter(arguments))
    for name, value in arguments.items():
        x = array(name, value)
        if x.dtype != dtype:
            raise TypeError(f"{name} must be {np.dtype(dtype)} as the network is, got {x.dtype}")
        if found and type(x) is not type(found[0]):
            one_library(name, x, first, found[0])
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


def real(name: str, value: Any, dtype: type[np.floating], images: Array | None = None) -> Array:
    """Return an array of the real numbers that `value` lists, by position; bools are 0 and 1.

    It lies in NumPy, or where `images` do, if they are given.
    """
    found = _listed(name, value, images)
    if found.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be real numbers, got {found.dtype}")
    with np.errstate(under="ignore", over="ignore"):  # to 0 and to ∞
        numbers = found.astype(dtype, copy=False)
    return numbers if images is None else beside(images, numbers, name, "the images")


def index(name: str, value: Any, n: int, images: Array | None = None) -> Array:
    """Return positions in an axis of length n: (N,) int64, each from 0 to n − 1.

    They lie in NumPy, or where `images` do, if they are given.

    Raises
    ------
    TypeError, ValueError, IndexError
        No integers (masks are none), more than one axis, or a position below 0 or above n − 1.
    """
    found = _listed(name, value, images)
    if found.size and found.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, got {found.dtype}")
    if found.ndim != 1:
        raise ValueError(f"{name} must have one axis, got shape {found.shape}")
    positions = found.astype(np.int64, copy=False)
    if found.size and positions.view(np.uint64).max() >= n:  # what is negative is then above 2⁶³
        outside = found[(found < 0) | (found >= n)][0]
        raise IndexError(f"{name} must lie in [0, {n}), got {outside}")
    return positions if images is None else beside(images, positions, name, "the images")


def _listed(name: str, value: Any, images: Array | None) -> Array:
    """Return what a value lists; of another library only where images may be of it."""
    if images is not None and follows_numpy(type(value)):
        return value
    return by_position(name, value)


def _advice(value: Any) -> str:
    """Return how the user gets an array of a value, if that is safe to say."""
    for method in ("to_numpy", "toarray", "filled", "numpy"):
        if callable(getattr(value, method, None)):
            return f"; use its .{method}()"
    return "; use numpy.asarray" if hasattr(value, "__array__") else ""
