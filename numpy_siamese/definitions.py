"""The operations as plain loops, straight from their equations: slow, and obviously right.

Read this first, then `functional`, which computes the same values with matrix products. Every
function has the arguments, the results and the pullback of its namesake there. Arrays are checked
to be such, of one dtype and of shapes that fit. The rest is taken as valid. A batch is required.
What the images of a batch have to do with one another stands in `batch_definitions`.

Loop letters: n image, c channel, o output channel, (p, q) output position, (i, j) kernel offset.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from numpy_siamese import _arguments
from numpy_siamese._arrays import floats
from numpy_siamese.batch_definitions import batch_norm as batch_norm
from numpy_siamese.batch_definitions import n_pair_loss as n_pair_loss
from numpy_siamese.batch_definitions import pairwise_l1_logits as pairwise_l1_logits
from numpy_siamese.functional._operation import operation

Array = np.ndarray
Pair = tuple[int, int]
Pullback = Callable[..., tuple[Any, ...]]


@operation
def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> tuple[Array, Pullback]:
    """y[n,o,p,q] = b[o] + Σ_{c,i,j} w[o,c,i,j] x[n, c, p·s + i·d − pad, q·s + j·d − pad]."""
    x, weight, bias = floats(x=x, weight=weight, bias=bias, optional=("bias",))
    _arguments.kernels(x, weight, bias, groups)
    N, _, H, W = x.shape
    O, C_group, KH, KW = weight.shape
    P = (H + 2 * padding[0] - dilation[0] * (KH - 1) - 1) // stride[0] + 1
    Q = (W + 2 * padding[1] - dilation[1] * (KW - 1) - 1) // stride[1] + 1

    def terms() -> Iterator[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]:
        """Yield the indices into y, weight and x of each product in the sum."""
        for n, o, p, q in np.ndindex(N, O, P, Q):
            first_channel = o // (O // groups) * C_group  # of o's group
            for c, i, j in np.ndindex(C_group, KH, KW):
                h = p * stride[0] + i * dilation[0] - padding[0]
                w = q * stride[1] + j * dilation[1] - padding[1]
                if 0 <= h < H and 0 <= w < W:
                    yield (n, o, p, q), (o, c, i, j), (n, first_channel + c, h, w)

    y = np.zeros((N, O, P, Q), x.dtype)
    for at_y, at_weight, at_x in terms():
        y[at_y] += weight[at_weight] * x[at_x]
    if bias is not None:
        for n, o, p, q in np.ndindex(y.shape):
            y[n, o, p, q] += bias[o]

    def pullback(dy: Array) -> tuple[Array, Array, Array | None]:
        dx, dweight = np.zeros_like(x), np.zeros_like(weight)
        for at_y, at_weight, at_x in terms():
            dx[at_x] += dy[at_y] * weight[at_weight]
            dweight[at_weight] += dy[at_y] * x[at_x]
        if bias is None:
            return dx, dweight, None
        dbias = np.zeros_like(bias)
        for n, o, p, q in np.ndindex(dy.shape):
            dbias[o] += dy[n, o, p, q]
        return dx, dweight, dbias

    return y, pullback


@operation
def max_pool2d(
    x: Array,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    ceil_mode: bool = False,
) -> tuple[Array, Pullback]:
    """y[n,c,p,q] = max_{i,j} x[n, c, p·s + i·d − pad, q·s + j·d − pad], the first of equals."""
    (x,) = floats(x=x)
    stride = stride or kernel_size
    N, C = x.shape[:2]
    positions = []
    for length, k, s, pad, d in zip(
        x.shape[2:], kernel_size, stride, padding, dilation, strict=True
    ):
        room = (length + 2 * pad - d * (k - 1) - 1) / s
        count = (math.ceil(room) if ceil_mode else math.floor(room)) + 1
        if ceil_mode and (count - 1) * s >= length + pad:
            count -= 1
        positions.append(count)

    y = np.zeros((N, C, *positions), x.dtype)
    winners: dict[tuple[int, ...], tuple[int, ...]] = {}
    for n, c, p, q in np.ndindex(y.shape):
        best = None
        for i, j in np.ndindex(*kernel_size):
            h = p * stride[0] + i * dilation[0] - padding[0]
            w = q * stride[1] + j * dilation[1] - padding[1]
            if 0 <= h < x.shape[2] and 0 <= w < x.shape[3]:
                value = x[n, c, h, w]
                if best is None or value > best or math.isnan(value):
                    best, winners[n, c, p, q] = value, (n, c, h, w)
        y[n, c, p, q] = best

    def pullback(dy: Array) -> tuple[Array]:
        dx = np.zeros_like(x)
        for at_y, at_x in winners.items():
            dx[at_x] += dy[at_y]
        return (dx,)

    return y, pullback


@operation
def conv_relu_pool(x: Array, weight: Array, bias: Array) -> tuple[Array, Pullback]:
    """max_pool2d(relu(conv2d(x, weight, bias)), 2), one after the other."""
    x, weight, bias = floats(x=x, weight=weight, bias=bias)
    y, conv2d_pullback = conv2d(x, weight, bias)
    y, relu_pullback = relu(y)
    y, max_pool2d_pullback = max_pool2d(y, (2, 2))

    def pullback(dy: Array) -> tuple[Array, Array, Array]:
        (dy,) = relu_pullback(*max_pool2d_pullback(dy))
        return conv2d_pullback(dy)

    return y, pullback


@operation
def linear(x: Array, weight: Array, bias: Array | None = None) -> tuple[Array, Pullback]:
    """y[n,o] = b[o] + Σ_i w[o,i] x[n,i]."""
    x, weight, bias = floats(x=x, weight=weight, bias=bias, optional=("bias",))
    _arguments.linear(x, weight, bias)
    (N, _), (O, I) = x.shape, weight.shape
    y = np.zeros((N, O), x.dtype)
    for n, o in np.ndindex(N, O):
        for i in range(I):
            y[n, o] += weight[o, i] * x[n, i]
        if bias is not None:
            y[n, o] += bias[o]

    def pullback(dy: Array) -> tuple[Array, Array, Array | None]:
        dx, dweight = np.zeros_like(x), np.zeros_like(weight)
        dbias = None if bias is None else np.zeros_like(bias)
        for n, o in np.ndindex(N, O):
            for i in range(I):
                dx[n, i] += dy[n, o] * weight[o, i]
                dweight[o, i] += dy[n, o] * x[n, i]
            if dbias is not None:
                dbias[o] += dy[n, o]
        return dx, dweight, dbias

    return y, pullback


@operation
def relu(x: Array) -> tuple[Array, Pullback]:
    """y = x for x > 0 and for NaN, else 0; −0 stays −0."""
    (x,) = floats(x=x)
    y = _elementwise(lambda v: 0.0 if v < 0 else v, x)

    def pullback(dy: Array) -> tuple[Array]:
        return (_elementwise(lambda g, v: 0.0 if v <= 0 else g, dy, x),)

    return y, pullback


@operation
def sigmoid(x: Array) -> tuple[Array, Pullback]:
    """y = 1 / (1 + e⁻ˣ);  dy/dx = (1 − y) y."""
    (x,) = floats(x=x)
    y = _elementwise(_sigmoid, x)

    def pullback(dy: Array) -> tuple[Array]:
        return (_elementwise(lambda g, v: g * (1 - v) * v, dy, y),)

    return y, pullback


@operation
def l1_distance(left: Array, right: Array) -> tuple[Array, Pullback]:
    """y = |left − right|;  the slope is 0 where they are equal."""
    left, right = floats(left=left, right=right)
    _arguments.same_shape(left=left, right=right)
    y = _elementwise(lambda a, b: abs(a - b), left, right)

    def pullback(dy: Array) -> tuple[Array, Array]:
        dleft = _elementwise(lambda g, a, b: g * ((a > b) - (a < b)), dy, left, right)
        return dleft, -dleft

    return y, pullback


@operation
def binary_cross_entropy(
    probs: Array, target: Array, weight: Array | None = None, reduction: str = "mean"
) -> tuple[Array, Pullback]:
    """loss = −w (t log p + (1 − t) log(1 − p)), each logarithm at least −100."""
    probs, target, weight = floats(probs=probs, target=target, weight=weight, optional=("weight",))
    _arguments.same_shape(probs=probs, target=target)
    _arguments.probabilities(probs=probs, target=target)

    def loss(p: float, t: float, w: float) -> float:
        log_p = max(math.log(p), -100) if p > 0 else -100
        log_q = max(math.log1p(-p), -100) if p < 1 else -100
        return -w * (t * log_p + (1 - t) * log_q)

    def slope(p: float, t: float, w: float) -> float:
        return w * (p - t) / max((1 - p) * p, 1e-12)

    return _loss(loss, slope, reduction, probs, target, _ones_or(weight, probs))


@operation
def binary_cross_entropy_with_logits(
    logits: Array,
    target: Array,
    weight: Array | None = None,
    pos_weight: Array | None = None,
    reduction: str = "mean",
) -> tuple[Array, Pullback]:
    """loss = −w (v t log sigmoid(x) + (1 − t) log sigmoid(−x))."""
    logits, target, weight, pos_weight = floats(
        logits=logits,
        target=target,
        weight=weight,
        pos_weight=pos_weight,
        optional=("weight", "pos_weight"),
    )
    _arguments.same_shape(logits=logits, target=target)

    def log_sigmoid(x: float) -> float:
        return min(x, 0) - math.log1p(math.exp(-abs(x)))

    def loss(x: float, t: float, w: float, v: float) -> float:
        return -w * (v * t * log_sigmoid(x) + (1 - t) * log_sigmoid(-x))

    def slope(x: float, t: float, w: float, v: float) -> float:
        return w * ((1 - t) * _sigmoid(x) - v * t * _sigmoid(-x))

    weights = _ones_or(weight, logits), _ones_or(pos_weight, logits)
    return _loss(loss, slope, reduction, logits, target, *weights)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _elementwise(function: Callable[..., float], *arrays: Array) -> Array:
    """Apply a function of numbers, computed in float64, to each element."""
    y = np.zeros_like(arrays[0])
    for at in np.ndindex(y.shape):
        y[at] = function(*(float(array[at]) for array in arrays))
    return y


def _ones_or(weight: Array | None, like: Array) -> Array:
    return np.ones_like(like) if weight is None else np.broadcast_to(weight, like.shape)


def _loss(
    loss: Callable[..., float], slope: Callable[..., float], reduction: str, *arrays: Array
) -> tuple[Array, Pullback]:
    """Apply a loss elementwise and reduce it; its slope is that in the first argument."""
    _arguments.reduction(reduction)
    losses = _elementwise(loss, *arrays)
    scale = 1 / losses.size if reduction == "mean" else 1.0
    y = losses if reduction == "none" else losses.dtype.type(scale * sum(losses.flat))

    def pullback(dy: Array) -> tuple[Array]:
        cotangents = np.broadcast_to(np.asarray(dy, losses.dtype), losses.shape)
        slopes = _elementwise(slope, *arrays)
        return (_elementwise(lambda g, s: g * s * scale, cotangents, slopes),)

    return y, pullback
