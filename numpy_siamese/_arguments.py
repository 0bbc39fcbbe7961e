"""What an operation accepts: the checks of `functional`, with messages that name the argument.

What an array is stands in `_arrays`; here are shapes, options and numbers.
"""

import math
import operator
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from numpy_siamese import _arrays
from numpy_siamese._windows import Array, Pair, Windows

IntOrPair = int | Sequence[int]


def same_shape(**arrays: Array) -> None:
    """Raise ValueError unless all arrays have one shape."""
    shapes = {name: array.shape for name, array in arrays.items()}
    if len(set(shapes.values())) > 1:
        found = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"expected one shape for all, got {found}")


def broadcasts_to(shape: tuple[int, ...], **arrays: Array | None) -> None:
    """Raise ValueError unless each array given broadcasts to `shape`."""
    for name, array in arrays.items():
        if array is None or array.shape == shape:
            continue
        try:
            fits = np.broadcast_shapes(array.shape, shape) == shape
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(f"{name} {array.shape} does not broadcast to {shape}")


def probabilities(**arrays: Array) -> None:
    """Raise ValueError unless all values of each array lie in [0, 1]; NaN does not."""
    for name, values in arrays.items():
        if not ((values >= 0) & (values <= 1)).all():
            raise ValueError(f"{name} must lie in [0, 1]")


def cotangent(dy: Any, y: Array, name: str = "dy") -> Array:
    """Return the gradient of an output `y`, checked: its shape and its dtype.

    A Python number is accepted for a scalar output, so that ``pullback(1.0)`` reads well.
    """
    if type(dy) in (int, float):
        dy = _arrays.beside(y, y.dtype.type(dy), name, "the output")
    dy = _arrays.array(name, dy)
    if dy.dtype != y.dtype:
        raise TypeError(f"{name} must be {y.dtype} as the output is, got {dy.dtype}")
    if dy.shape != y.shape:
        raise ValueError(f"{name} must have the output's shape {y.shape}, got {dy.shape}")
    if type(dy) is not type(y):
        _arrays.one_library(name, dy, "the output", y)
    return dy


def integer(name: str, value: Any) -> int:
    """Return an integer of Python's or NumPy's as Python's; like torch, no bool."""
    number = _integer_or_none(value)
    if number is None:
        raise TypeError(f"{name} must be an int, got {_shown(value)}")
    return number


def count(name: str, value: Any, least: int) -> int:
    """Return an integer in [least, 2⁶³)."""
    number = integer(name, value)
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {number}")
    if number >= 2**63:
        raise ValueError(f"{name} must be below 2**63, got {number}")
    return number


def number(name: str, value: Any) -> float:
    """Return a real number of Python's or NumPy's as Python's; no bool."""
    if type(value) is float:
        return value
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a real number, got {_shown(value)}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} must be finite, got an int too large for a float") from None


def finite(name: str, value: Any) -> float:
    """Return a finite real number of Python's or NumPy's as Python's."""
    found = number(name, value)
    if not math.isfinite(found):
        raise ValueError(f"{name} must be finite, got {found}")
    return found


def at_least_zero(name: str, value: Any) -> float:
    """Return a finite real number of Python's or NumPy's as Python's, if it is not negative."""
    found = finite(name, value)
    if found < 0:
        raise ValueError(f"{name} must be at least 0, got {found}")
    return found


def mapping(name: str, value: Any) -> dict[str, Any]:
    """Return a mapping of names to arrays as a dict; what it holds is not looked at."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must map names to arrays, got {_arrays.type_name(value)}")
    return dict(value)


def network(value: Any) -> Any:
    """Return a network of this package, or what has its dtype, a backbone and a head as it has."""
    parts = getattr(value, "net", None), getattr(value, "compare", None)
    if getattr(value, "dtype", None) not in (np.float32, np.float64) or not all(
        map(callable, parts)
    ):
        raise TypeError(f"net must be a SiameseNet of NumPy, got {_arrays.type_name(value)}")
    return value


def boolean(name: str, value: Any) -> None:
    """Raise TypeError unless the value is True or False, as torch does."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be a bool, got {_shown(value)}")


def reduction(value: Any) -> None:
    """Raise ValueError unless the reduction is one of torch's."""
    if not isinstance(value, str) or value not in ("none", "mean", "sum"):
        raise ValueError(f"reduction must be 'none', 'mean' or 'sum', got {_shown(value)}")


def pair(name: str, value: Any, least: int) -> Pair:
    """Return one integer, or one or two in a tuple or list, as (rows, columns).

    None may be below `least`.
    """
    listed = value if isinstance(value, (tuple, list)) else (value,)
    values = [number for number in map(_integer_or_none, listed) if number is not None]
    if len(values) < len(listed):
        raise TypeError(f"{name} must be an int or a pair of ints, got {_shown(value)}")
    if len(values) not in (1, 2):
        raise ValueError(f"{name} must be an int or a pair of ints, got {_shown(value)}")
    if min(values) < least:
        raise ValueError(f"{name} must be at least {least}, got {_shown(value)}")
    return values[0], values[-1]


def _integer_or_none(value: Any) -> int | None:
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def _shown(value: Any) -> str:
    """Return a small value as it is written, and of anything else the type."""
    small = isinstance(value, (str, Real, tuple, list))
    return repr(value) if small else _arrays.type_name(value)


def images(x: Array) -> Array:
    """Return (C, H, W) or (N, C, H, W) as (N, C, H, W); only the batch may be empty."""
    if x.ndim not in (3, 4) or 0 in x.shape[-3:]:
        raise ValueError(f"x must be a non-empty (C, H, W) or (N, C, H, W), got shape {x.shape}")
    return x if x.ndim == 4 else x[None]


def kernels(x: Array, weight: Array, bias: Array | None, groups: int = 1) -> None:
    """Check that kernels and bias fit images x (N, C, H, W)."""
    if weight.ndim != 4 or 0 in weight.shape:
        raise ValueError(f"weight must be a non-empty (O, C/groups, K, K), got {weight.shape}")
    C, (O, C_group) = x.shape[1], weight.shape[:2]
    groups = integer("groups", groups)
    if groups < 1 or O % groups:
        raise ValueError(
            f"groups must be positive and divide the {O} output channels, got {groups}"
        )
    if C_group * groups != C:
        raise ValueError(
            f"x has {C} channels, but weight {weight.shape} with groups={groups} expects "
            f"{C_group * groups}"
        )
    if bias is not None and bias.shape != (O,):
        raise ValueError(f"bias must have shape ({O},), got {bias.shape}")


def conv2d_windows(
    x: Array,
    weight: Array,
    bias: Array | None,
    stride: IntOrPair,
    padding: IntOrPair | str,
    dilation: IntOrPair,
    groups: int,
) -> Windows:
    """Check the arguments of a convolution of x (N, C, H, W) and return its windows."""
    kernels(x, weight, bias, groups)
    stride, dilation = pair("stride", stride, 1), pair("dilation", dilation, 1)
    kernel: Pair = (weight.shape[2], weight.shape[3])
    span = [(k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
    if isinstance(padding, str) and padding == "same":
        if stride != (1, 1):
            raise ValueError(f"padding='same' needs stride 1, got {stride}")
        before, total = (span[0] // 2, span[1] // 2), span
    elif isinstance(padding, str) and padding == "valid":
        before, total = (0, 0), [0, 0]
    elif isinstance(padding, str):
        raise ValueError(f"padding must be ints, 'same' or 'valid', got {padding!r}")
    else:
        before = pair("padding", padding, 0)
        total = [2 * p for p in before]
    size: Pair = (x.shape[2], x.shape[3])
    room = [n + t - s - 1 for n, t, s in zip(size, total, span, strict=True)]
    if min(room) < 0:
        raise ValueError(
            f"kernel {kernel} with dilation {dilation} does not fit the padded input "
            f"{(size[0] + total[0], size[1] + total[1])}"
        )
    positions = (room[0] // stride[0] + 1, room[1] // stride[1] + 1)
    return Windows(size, kernel, stride, dilation, before, positions)


def max_pool2d_windows(
    x: Array,
    kernel_size: IntOrPair,
    stride: IntOrPair | None,
    padding: IntOrPair,
    dilation: IntOrPair,
    ceil_mode: bool,
) -> Windows:
    """Check the arguments of a pooling of x (N, C, H, W) and return its windows."""
    kernel = pair("kernel_size", kernel_size, 1)
    given = stride is not None and not (isinstance(stride, (tuple, list)) and not stride)
    steps = pair("stride", stride, 1) if given else kernel
    before, spread = pair("padding", padding, 0), pair("dilation", dilation, 1)
    boolean("ceil_mode", ceil_mode)
    positions = []
    for n, k, s, p, d in zip(x.shape[2:], kernel, steps, before, spread, strict=True):
        span = (k - 1) * d
        if p > k // 2:
            raise ValueError(f"padding must be at most half of kernel_size {kernel}, got {before}")
        room = n + 2 * p - span - 1
        count = (room + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (count - 1) * s >= n + p:
            count -= 1  # a window must start inside the input or its left padding
        if count < 1:
            raise ValueError(
                f"kernel_size {kernel} with dilation {spread} does not fit x {x.shape}"
            )
        positions.append(count)
    size: Pair = (x.shape[2], x.shape[3])
    return Windows(size, kernel, steps, spread, before, (positions[0], positions[1]))


def linear(x: Array, weight: Array, bias: Array | None) -> None:
    """Check that weight and bias fit x (..., I)."""
    if weight.ndim not in (1, 2):
        raise ValueError(f"weight must be (O, I) or (I,), got shape {weight.shape}")
    if x.ndim < 1 or x.shape[-1] != weight.shape[-1]:
        raise ValueError(f"x must be (..., {weight.shape[-1]}), got shape {x.shape}")
    if bias is not None and bias.shape != weight.shape[:-1]:
        raise ValueError(f"bias must have shape {weight.shape[:-1]}, got {bias.shape}")


def pairwise(left: Array, right: Array, weight: Array, bias: Array | None) -> None:
    """Check that two batches of embeddings, their weights and a bias fit one another."""
    for name, x in (("left", left), ("right", right)):
        if x.ndim != 2:
            raise ValueError(f"{name} must be (N, E), got shape {x.shape}")
    E = left.shape[1]
    if right.shape[1] != E:
        raise ValueError(f"right must be (M, {E}) as left is (N, {E}), got shape {right.shape}")
    if weight.shape != (1, E):
        raise ValueError(f"weight must have shape (1, {E}), got {weight.shape}")
    if bias is not None and bias.shape != (1,):
        raise ValueError(f"bias must have shape (1,), got {bias.shape}")


def partners(logits: Array, target: Array) -> None:
    """Check that targets of logits (N, M) are 0 or 1, with a 1 in each row and each column."""
    if logits.ndim != 2 or logits.size == 0:
        raise ValueError(f"logits must be a non-empty (N, M), got shape {logits.shape}")
    same_shape(logits=logits, target=target)
    positive = target == 1
    if not (positive | (target == 0)).all():
        raise ValueError("target must be 0 or 1")
    for axis, line in ((1, "row"), (0, "column")):
        if not positive.any(axis=axis).all():
            raise ValueError(f"target must have a 1 in each {line}, got a {line} without one")


def channels(
    x: Array,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None,
    bias: Array | None,
    training: bool,
) -> None:
    """Check that statistics, weight and bias fit the channels of x (N, C, …)."""
    boolean("training", training)
    if x.ndim < 2 or x.shape[1] == 0:
        raise ValueError(f"x must be (N, C, …) with C > 0, got shape {x.shape}")
    C = x.shape[1]
    running = {"running_mean": running_mean, "running_var": running_var}
    for name, values in (running | {"weight": weight, "bias": bias}).items():
        if values is not None and values.shape != (C,):
            raise ValueError(f"{name} must have shape ({C},), got {values.shape}")
        if values is None and name in running and not training:
            raise TypeError(f"{name} must be given outside of training, got None")
    if training and x.size < 2 * C:
        raise ValueError(f"training needs at least 2 numbers of each channel, got x {x.shape}")
