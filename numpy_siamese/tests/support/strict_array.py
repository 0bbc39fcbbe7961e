"""An array of another library, without a device: it does what CuPy's does, and nothing else.

It holds an array of NumPy, which does the work, so its results are the same bits. What it refuses
is what CuPy refuses: to become an array of NumPy unasked, to be computed with one, and whatever
CuPy has no function or argument for. Values that the host asks for are counted.

References
----------
CuPy, ``cupy/_core/core.pyx``, ``cupy/_core/flags.pyx`` and ``cupy/_core/_routines_indexing.pyx``.
"""

import operator
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np

from numpy_siamese.tests.support import strict_functions, traffic

SCALARS = (bool, int, float, np.number, np.bool)
"""What may be computed with besides arrays of the same library."""

UFUNC_OPTIONS = {"out", "dtype", "casting"}

UFUNCS = {
    *("absolute", "add", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2"),
    *("arctanh", "bitwise_and", "bitwise_or", "bitwise_xor", "cbrt", "ceil", "conjugate"),
    *("copysign", "cos", "cosh", "deg2rad", "degrees", "divide", "equal", "exp", "exp2", "expm1"),
    *("fabs", "floor", "floor_divide", "fmax", "fmin", "fmod", "greater", "greater_equal"),
    *("heaviside", "hypot", "invert", "isfinite", "isinf", "isnan", "left_shift", "less"),
    *("less_equal", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2", "logical_and"),
    *("logical_not", "logical_or", "logical_xor", "matmul", "maximum", "minimum", "multiply"),
    *("negative", "nextafter", "not_equal", "positive", "power", "radians", "reciprocal"),
    *("remainder", "right_shift", "rint", "sign", "signbit", "sin", "sinh", "sqrt", "square"),
    *("subtract", "tan", "tanh", "trunc"),
}
"""Those of one result that CuPy has, from the page *Universal functions* of its documentation."""


class Flags:
    """The three flags that CuPy has."""

    def __init__(self, flags: Any) -> None:
        self.c_contiguous = flags.c_contiguous
        self.f_contiguous = flags.f_contiguous
        self.owndata = flags.owndata


def asarray(value: Any, dtype: Any = None) -> Any:
    """Copy an array of NumPy to the device, in its own strides; `cupy.asarray`."""
    if isinstance(value, StrictArray):
        return value
    traffic.upload()
    return StrictArray(np.array(value, dtype))


def asnumpy(x: Any) -> np.ndarray:
    """Copy an array to the host; `cupy.asnumpy`."""
    return x.get()


def host(value: Any) -> Any:
    """Return what NumPy computes with in place of an argument: an array of ours, or a scalar."""
    if isinstance(value, StrictArray):
        return value._host
    if isinstance(value, SCALARS):
        return value
    raise TypeError(f"Unsupported type {type(value)}")


def wrapped(result: Any, of: "StrictArray | None" = None) -> "StrictArray":
    """Return a result as an array: reductions too give arrays, without axes."""
    traffic.work()
    if of is not None and result is of._host:
        return of
    found = np.asarray(result)
    if of is None or not np.may_share_memory(found, of._host):
        return StrictArray(found)
    return StrictArray(found, of if of.base is None else of.base)


def _binary(function: Callable[..., Any], swapped: bool = False) -> Callable[..., Any]:
    def operate(self: "StrictArray", other: Any) -> Any:
        operands = (host(other), self._host) if swapped else (self._host, host(other))
        with np.errstate(all="ignore"):  # a device sets no flags
            return wrapped(function(*operands))

    return operate


def _in_place(function: np.ufunc) -> Callable[..., Any]:
    def operate(self: "StrictArray", other: Any) -> Any:
        traffic.work()
        with np.errstate(all="ignore"):
            function(self._host, host(other), out=self._host, casting="same_kind")
        return self

    return operate


def _reduction(name: str) -> Callable[..., Any]:
    def reduce(self: "StrictArray", axis: Any = None, keepdims: bool = False) -> Any:
        with np.errstate(all="ignore"):
            return wrapped(getattr(self._host, name)(axis=axis, keepdims=keepdims))

    return reduce


class StrictArray:
    """See the module."""

    __slots__ = ("_host", "base")
    __hash__ = None  # type: ignore[assignment]
    __array_priority__ = 100

    def __init__(self, values: np.ndarray, base: "StrictArray | None" = None) -> None:
        assert type(values) is np.ndarray
        self._host, self.base = values, base

    # What it is

    shape = property(lambda self: self._host.shape)
    dtype = property(lambda self: self._host.dtype)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    strides = property(lambda self: self._host.strides)
    itemsize = property(lambda self: self._host.itemsize)
    nbytes = property(lambda self: self._host.nbytes)
    flags = property(lambda self: Flags(self._host.flags))
    T = property(lambda self: self.transpose())

    def __len__(self) -> int:
        return len(self._host)

    def __iter__(self) -> Iterator["StrictArray"]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Strict{self._host!r}"

    # What NumPy hands over

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or ufunc.__name__ not in UFUNCS:
            return NotImplemented
        if unknown := options.keys() - UFUNC_OPTIONS:
            raise TypeError(f"Wrong arguments {sorted(unknown)}")
        outs = options.pop("out", (None,))
        if len(outs) != 1:
            raise ValueError("The 'out' parameter must have exactly one array value")
        (out,) = outs
        if out is not None:
            if not isinstance(out, StrictArray):
                raise TypeError(f"Output arguments type must be StrictArray, not {type(out)}")
            options["out"] = out._host
        with np.errstate(all="ignore"):
            result = ufunc(*map(host, inputs), **options)
        return wrapped(result, out)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        found = getattr(strict_functions, function.__name__, None)
        known = all(kind in (StrictArray, np.ndarray) for kind in types)
        if function.__module__ != "numpy" or found is None or not known:
            return NotImplemented
        with np.errstate(all="ignore"):
            return found(*args, **options)

    # What the host asks for

    def get(self) -> np.ndarray:
        traffic.read()
        return self._host.copy(order="K")

    def item(self) -> Any:
        return self.get().item()

    def tolist(self) -> Any:
        return self.get().tolist()

    def __bool__(self) -> bool:
        return bool(self.get())

    def __int__(self) -> int:
        return int(self.get())

    def __float__(self) -> float:
        return float(self.get())

    # Parts

    def __getitem__(self, key: Any) -> "StrictArray":
        index = _index(key)
        if any(isinstance(part, np.ndarray) and part.dtype == bool for part in index):
            traffic.read()  # how many there are
        found = self._host[index]
        return wrapped(self._host[(*index, ...)] if isinstance(found, np.generic) else found, self)

    def __setitem__(self, key: Any, value: Any) -> None:
        traffic.work()
        self._host[_index(key)] = host(value)

    def take(self, indices: Any, axis: int | None = None) -> "StrictArray":
        return wrapped(self._host.take(host(indices), axis))

    def fill(self, value: Any) -> None:
        self[...] = value

    # The same numbers, laid out otherwise

    def reshape(self, *shape: Any, order: Any = "C") -> "StrictArray":
        return wrapped(self._host.reshape(*shape, order=order), self)

    def transpose(self, *axes: Any) -> "StrictArray":
        return wrapped(self._host.transpose(*axes), self)

    def swapaxes(self, first: int, second: int) -> "StrictArray":
        return wrapped(self._host.swapaxes(first, second), self)

    def ravel(self, order: Any = "C") -> "StrictArray":
        return wrapped(self._host.ravel(order), self)

    def view(self, dtype: Any) -> "StrictArray":
        if np.dtype(dtype).itemsize != self.itemsize:
            raise ValueError("to another size of items CuPy views contiguous arrays only")
        return wrapped(self._host.view(dtype), self)

    def copy(self, order: Any = "C") -> "StrictArray":
        return wrapped(self._host.copy(order))

    def astype(
        self, dtype: Any, order: Any = "K", casting: None = None, subok: None = None, copy: Any = 1
    ) -> "StrictArray":
        with np.errstate(all="ignore"):
            return wrapped(self._host.astype(dtype, order, copy=bool(copy)), self)

    # Arithmetic

    __add__, __radd__ = _binary(operator.add), _binary(operator.add, swapped=True)
    __sub__, __rsub__ = _binary(operator.sub), _binary(operator.sub, swapped=True)
    __mul__, __rmul__ = _binary(operator.mul), _binary(operator.mul, swapped=True)
    __truediv__, __rtruediv__ = (
        _binary(operator.truediv),
        _binary(operator.truediv, swapped=True),
    )
    __matmul__ = _binary(operator.matmul)
    __and__, __or__ = _binary(operator.and_), _binary(operator.or_)
    __lt__, __le__ = _binary(operator.lt), _binary(operator.le)
    __gt__, __ge__ = _binary(operator.gt), _binary(operator.ge)
    __eq__ = _binary(operator.eq)
    __ne__ = _binary(operator.ne)
    __iadd__, __isub__ = _in_place(np.add), _in_place(np.subtract)
    __imul__, __itruediv__ = _in_place(np.multiply), _in_place(np.divide)

    def __neg__(self) -> "StrictArray":
        return wrapped(-self._host)

    def __abs__(self) -> "StrictArray":
        return wrapped(abs(self._host))

    def __invert__(self) -> "StrictArray":
        return wrapped(~self._host)

    sum, min, max = _reduction("sum"), _reduction("min"), _reduction("max")
    all, any = _reduction("all"), _reduction("any")


def _index(key: Any) -> tuple[Any, ...]:
    """Return an index of NumPy's, of slices, numbers and arrays of ours."""
    parts = key if isinstance(key, tuple) else (key,)
    plain = (slice, int, type(None), type(Ellipsis))
    return tuple(part if isinstance(part, plain) else host(part) for part in parts)
