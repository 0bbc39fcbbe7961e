"""What an operation accepts: the checks of `functional`, with messages that name the argument."""

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from numpy_siamese._windows import Array, Pair, Windows

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))

IntOrPair = int | Sequence[int]


def same_float(**arrays: Array | None) -> None:
    """Raise TypeError unless all arrays given are float32, or all are float64."""
    first = None
    for name, array in arrays.items():
        if array is None:
            continue
        dtype = getattr(array, "dtype", None)
        if dtype is None or dtype not in FLOATS:  # np.dtype(None) is float64
            found = dtype if dtype is not None else type(array).__name__
            raise TypeError(f"{name} must be a float32 or float64 array, got {found}")
        if first is None:
            first = name, dtype
        elif dtype != first[1]:
            raise TypeError(f"{name} is {dtype}, but {first[0]} is {first[1]}: one dtype for all")


def same_shape(**arrays: Array) -> None:
    """Raise ValueError unless all arrays have one shape."""
    shapes = {name: array.shape for name, array in arrays.items()}
    if len(set(shapes.values())) > 1:
        found = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"expected one shape for all, got {found}")


def broadcasts_to(shape: tuple[int, ...], **arrays: Array | None) -> None:
    """Raise ValueError unless each array given broadcasts to `shape`."""
    for name, array in arrays.items():
        if array is None:
            continue
        try:
            fits = np.broadcast_shapes(array.shape, shape) == shape
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(f"{name} {array.shape} does not broadcast to {shape}")


def cotangent(dy: Any, y: Array) -> Array:
    """Return the gradient of an output `y`, checked: its shape and its dtype.

    A Python number is accepted for a scalar output, so that ``pullback(1.0)`` reads well.
    """
    if isinstance(dy, (int, float)) and not isinstance(dy, np.generic):
        dy = y.dtype.type(dy)
    same_float(y=y, dy=dy)
    if dy.shape != y.shape:
        raise ValueError(f"dy must have the output's shape {y.shape}, got {dy.shape}")
    return dy


def reduction(value: str) -> None:
    """Raise ValueError unless the reduction is one of torch's."""
    if value not in ("none", "mean", "sum"):
        raise ValueError(f"reduction must be 'none', 'mean' or 'sum', got {value!r}")


def pair(name: str, value: Any, least: int) -> Pair:
    """Return one integer, or one or two in a sequence, as (rows, columns), none below `least`."""
    try:
        values = tuple(index(v) for v in (value if isinstance(value, Sequence) else (value,)))
    except TypeError:
        raise TypeError(f"{name} must be an int or a pair of ints, got {value!r}") from None
    if len(values) not in (1, 2):
        raise ValueError(f"{name} must be an int or a pair of ints, got {value!r}")
    if min(values) < least:
        raise ValueError(f"{name} must be at least {least}, got {value!r}")
    return values[0], values[-1]


def images(x: Array) -> Array:
    """Return (C, H, W) or (N, C, H, W) as (N, C, H, W); only the batch may be empty."""
    if x.ndim not in (3, 4) or 0 in x.shape[-3:]:
        raise ValueError(f"x must be a non-empty (C, H, W) or (N, C, H, W), got shape {x.shape}")
    return x if x.ndim == 4 else x[None]


def kernels(x: Array, weight: Array, bias: Array | None, groups: int = 1) -> None:
    """Check that kernels and bias fit images x (N, C, H, W)."""
    same_float(x=x, weight=weight, bias=bias)
    if weight.ndim != 4 or 0 in weight.shape:
        raise ValueError(f"weight must be a non-empty (O, C/groups, K, K), got {weight.shape}")
    C, (O, C_group) = x.shape[1], weight.shape[:2]
    if index(groups) < 1 or O % groups:
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
    if padding == "same":
        if stride != (1, 1):
            raise ValueError(f"padding='same' needs stride 1, got {stride}")
        before, total = (span[0] // 2, span[1] // 2), span
    elif padding == "valid":
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
    steps = kernel if stride is None or stride == () else pair("stride", stride, 1)
    before, spread = pair("padding", padding, 0), pair("dilation", dilation, 1)
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
    """Check the arguments of a linear map."""
    same_float(x=x, weight=weight, bias=bias)
    if weight.ndim not in (1, 2):
        raise ValueError(f"weight must be (O, I) or (I,), got shape {weight.shape}")
    if x.ndim < 1 or x.shape[-1] != weight.shape[-1]:
        raise ValueError(f"x must be (..., {weight.shape[-1]}), got shape {x.shape}")
    if bias is not None and bias.shape != weight.shape[:-1]:
        raise ValueError(f"bias must have shape {weight.shape[:-1]}, got {bias.shape}")
