"""The operations: each returns its output and its pullback, forward and backward side by side.

    y, pullback = linear(x, weight, bias)      # y = x Wᵀ + b
    dx, dweight, dbias = pullback(dy)          # dy W,  dyᵀ x,  Σₙ dy

A pullback carries the gradient of a loss from the output back to the inputs: it takes ∂loss/∂y and
returns a tuple with ∂loss/∂input for each differentiable array argument, in order (None for an
absent bias). It may be called more than once, and neither it nor the operation changes an argument.
It reads the arguments and the output again: change none of them before the last call.

Names, order, defaults, accepted values and edge semantics are those of `torch.nn.functional`.
Arrays are float32 or float64, all of one dtype, which is also the dtype of every result; anything
else raises TypeError, and shapes that do not fit raise ValueError. `_arrays` says what an array is:
no list, and nothing that adds, multiplies or indexes in ways of its own. Shapes are logically
(N, C, H, W). In memory any strides will do; results keep the batch innermost, (C, H, W, N), so that
every copy and comparison runs along the batch and a convolution is one matrix product.

Rounding: `n` below is the number of rounded operations on the way to one element of the result,
so that its error is at most γₙ·G with γₙ = n·u/(1 − n·u), u the unit roundoff and the gauge G the
same operation on absolute values (Higham, *Accuracy and Stability of Numerical Algorithms*, §3.1).

Of floating-point errors only those are reported, as `np.errstate` says where the operation or its
pullback is called, that spoil a result: an overflow to ∞ and what is invalid, such as ∞ − ∞. Not
reported are underflow, whose rounding to zero is right, and what a docstring here gives as the
result: of sigmoid(−1000), of a logarithm of 0, of the mean of nothing, of a NaN that comes in; nor
what a BLAS kernel flags in vector lanes that belong to no element.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from numpy_siamese import _arguments
from numpy_siamese._arguments import IntOrPair
from numpy_siamese._arrays import floats
from numpy_siamese._operation import operation
from numpy_siamese._selection import where
from numpy_siamese._windows import Array, batch_first, batch_innermost

Pullback = Callable[..., tuple[Any, ...]]


SLOPE_CLAMP = float(np.float32(1e-12))
"""Least p (1 − p) in the slope of the cross-entropy: torch keeps its 10⁻¹² as a float32."""


# ------------------------------------------------------------------------------ layers


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: IntOrPair = 1,
    padding: IntOrPair | str = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
) -> tuple[Array, Pullback]:
    r"""Cross-correlate images with kernels.

    y[n,o,p,q] = b[o] + Σ_{c,i,j} w[o,c,i,j] · x[n, c, p·stride + i·dilation − padding, q·… + j·…]

    where c runs over the input channels of o's group. With the windows of x as the columns of a
    matrix X (C·KH·KW, P·Q·N) this is Y = W X + b, and its gradients are dW = dY Xᵀ, db = Σ dY,
    dX = Wᵀ dY; each entry of dX is then added to the input pixel that it was copied from.

    Parameters
    ----------
    x : (N, C, H, W) or (C, H, W)
    weight : (O, C/groups, KH, KW)
    bias : (O,), optional
    stride, dilation : int or (rows, columns)
    padding : int, (rows, columns), 'valid' (none) or 'same' (P, Q = H, W; stride 1 only)
        Zeros on both sides; 'same' puts an odd one at the end, as torch does.
    groups : int
        Divides C and O; group g of the outputs reads group g of the inputs.

    Returns
    -------
    y : (N, O, P, Q) or (O, P, Q)
        P = ⌊(H + 2·padding − dilation·(KH − 1) − 1) / stride⌋ + 1; n = C/groups·KH·KW + 1.
    pullback : dy → (dx, dweight, dbias)
        n = O/groups·KH·KW for dx and N·P·Q for dweight and dbias.

    References
    ----------
    `torch.nn.functional.conv2d`; the matrix form is im2col (Chellapilla et al. 2006).
    """
    x, weight, bias = floats(x=x, weight=weight, bias=bias, optional=("bias",))
    images = _arguments.images(x)
    windows = _arguments.conv2d_windows(images, weight, bias, stride, padding, dilation, groups)
    (N, C), O = images.shape[:2], weight.shape[0]
    (KH, KW), (P, Q) = windows.kernel, windows.positions

    xt = windows.pad(batch_innermost(images), 0)  # (C, H + padding, W + padding, N)
    cols = np.empty_like(xt, shape=(C, KH * KW, P, Q, N))
    for k, view in enumerate(windows.views(xt)):
        cols[:, k] = view
    cols = cols.reshape(groups, C // groups * KH * KW, P * Q * N)
    kernels = weight.reshape(groups, O // groups, C // groups * KH * KW)

    yt = kernels @ cols  # (groups, O/groups, P·Q·N)
    if bias is not None:
        yt += bias.reshape(groups, O // groups, 1)
    y = batch_first(yt.reshape(O, P, Q, N))
    y = y if x.ndim == 4 else y[0]
    padded_shape = xt.shape

    def pullback(dy: Array) -> tuple[Array | None, ...]:
        dyt = batch_innermost(dy.reshape(N, O, P, Q)).reshape(groups, O // groups, P * Q * N)
        dweight = (cols @ dyt.swapaxes(1, 2)).swapaxes(1, 2).reshape(weight.shape)
        dbias = None if bias is None else dyt.sum(axis=2).reshape(O)
        dcols = (kernels.swapaxes(1, 2) @ dyt).reshape(C, KH * KW, P, Q, N)
        dxt = np.zeros_like(dcols, shape=padded_shape)
        for k, view in enumerate(windows.views(dxt)):
            view += dcols[:, k]
        dx = batch_first(windows.crop(dxt))
        return dx.reshape(x.shape), dweight, dbias

    return y, pullback


def max_pool2d(
    x: Array,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
) -> tuple[Array, Pullback]:
    """Take the maximum of each window; its gradient goes to the winner alone.

    y[n,c,p,q] = max_{i,j} x[n, c, p·stride + i·dilation − padding, q·stride + j·dilation − padding]

    Scanning a window in row-major order, the first maximum wins a tie and the last NaN wins over
    all. Padding is −∞ and never wins: a window of −∞ alone goes to its first pixel inside x.

    Parameters
    ----------
    x : (N, C, H, W) or (C, H, W)
    kernel_size, padding, dilation : int or (rows, columns)
        padding is at most half of kernel_size.
    stride : int or (rows, columns), default kernel_size
    ceil_mode : bool
        Round the number of windows up instead of down; a window starts inside x or its padding.

    Returns
    -------
    y : (N, C, P, Q) or (C, P, Q)
        Exact. P = ⌊(H + 2·padding − dilation·(KH − 1) − 1) / stride⌋ + 1.
    pullback : dy → (dx,)
        Exact where windows do not overlap. Where they do, a pixel adds what it won in row-major
        order of the windows, as torch does: the same bits.

    References
    ----------
    PyTorch, ``aten/src/ATen/native/cpu/MaxPoolKernel.cpp``.
    """
    (x,) = floats(x=x)
    images = _arguments.images(x)
    windows = _arguments.max_pool2d_windows(
        images, kernel_size, stride, padding, dilation, ceil_mode
    )
    xt = windows.pad(batch_innermost(images), -np.inf)
    views = list(windows.views(xt))  # KH·KW of (C, P, Q, N)
    offset = np.min_scalar_type(len(views)).type

    yt = views[0] if len(views) > 1 else views[0].copy()
    winner = windows.first_inside()[..., None].astype(offset)  # (P, Q, 1)
    for k, view in enumerate(views[1:], start=1):
        larger = np.maximum(view, yt)  # of equals the second argument: the sign of a tied zero
        winner = np.maximum(winner, (larger != yt) * offset(k))
        yt = larger
    is_nan = np.isnan(yt)
    if is_nan.any():
        last_nan = np.max([np.isnan(view) * offset(k) for k, view in enumerate(views)], axis=0)
        winner = np.where(is_nan, last_nan, winner)
    y = batch_first(yt)
    y = y if x.ndim == 4 else y[0]
    padded_shape = xt.shape

    def pullback(dy: Array) -> tuple[Array]:
        dyt = batch_innermost(_arguments.images(dy))
        dxt = np.zeros_like(dyt, shape=padded_shape)
        offsets = list(enumerate(windows.views(dxt)))
        for k, view in reversed(offsets):  # a later offset reads from an earlier window
            view += where(winner == k, dyt)
        return (batch_first(windows.crop(dxt)).reshape(x.shape),)

    return y, pullback


def linear(x: Array, weight: Array, bias: Array | None = None) -> tuple[Array, Pullback]:
    """Apply an affine map: y = x Wᵀ + b.

    dx = dy W,  dW = dyᵀ x,  db = Σ dy, the sums running over all leading axes of x.

    Parameters
    ----------
    x : (..., I)
    weight : (O, I) or (I,)
    bias : (O,) or (), optional

    Returns
    -------
    y : (..., O) or (...)
        n = I + 1.
    pullback : dy → (dx, dweight, dbias)
        n = O for dx, and the number of rows of x for dweight and dbias.

    References
    ----------
    `torch.nn.functional.linear`.
    """
    x, weight, bias = floats(x=x, weight=weight, bias=bias, optional=("bias",))
    _arguments.linear(x, weight, bias)
    matrix = weight[None] if weight.ndim == 1 else weight  # (O, I)
    rows = x.reshape(math.prod(x.shape[:-1]), x.shape[-1])  # (N, I)
    yt = matrix @ rows.T  # (O, N), the batch innermost
    if bias is not None:
        yt += bias[..., None]
    y = yt.T.reshape(x.shape[:-1] + weight.shape[:-1])

    def pullback(dy: Array) -> tuple[Array | None, ...]:
        dy_rows = dy.reshape(rows.shape[0], matrix.shape[0])
        dx = (matrix.T @ dy_rows.T).T.reshape(x.shape)
        dweight = (dy_rows.T @ rows).reshape(weight.shape)
        dbias = None if bias is None else dy_rows.sum(axis=0).reshape(bias.shape)
        return dx, dweight, dbias

    return y, pullback


# ------------------------------------------------------------------------------ elementwise


def relu(x: Array) -> tuple[Array, Pullback]:
    """Rectify: y = x where x > 0, else 0; dx = dy where x > 0, else 0.

    Parameters
    ----------
    x : array of any shape
        −0.0 stays −0.0. A NaN stays NaN and lets its gradient pass.

    Returns
    -------
    y, pullback : like x, dy → (dx,)
        Exact.

    References
    ----------
    `torch.nn.functional.relu`, whose gradient at 0 is 0.
    """
    (x,) = floats(x=x)
    y = where(~(x < 0), x)
    passes = ~(x <= 0)

    def pullback(dy: Array) -> tuple[Array]:
        return (where(passes, dy),)

    return y, pullback


def sigmoid(x: Array) -> tuple[Array, Pullback]:
    """Squash: y = 1 / (1 + e⁻ˣ); dx = dy · (1 − y) · y, in this order.

    Parameters
    ----------
    x : array of any shape

    Returns
    -------
    y, pullback : like x, dy → (dx,)
        n = 10 for y while e⁻ˣ is finite; beyond (x < −88.7 in float32, −709.7 in float64) y = 0, as
        in torch; dx is torch's bit for bit, given y and dy.

    References
    ----------
    `torch.sigmoid`.
    """
    (x,) = floats(x=x)
    with np.errstate(over="ignore"):  # e⁻ˣ = ∞ gives the right limit, y = 0
        y = 1 / (1 + np.exp(-x))

    def pullback(dy: Array) -> tuple[Array]:
        return (dy * (1 - y) * y,)

    return y, pullback


def l1_distance(left: Array, right: Array) -> tuple[Array, Pullback]:
    """Compare elementwise: y = |left − right|; dleft = dy · sign(left − right) = −dright.

    Parameters
    ----------
    left, right : arrays of one shape

    Returns
    -------
    y, pullback : like left, dy → (dleft, dright)
        n = 1 for y; gradients exact given the sign, which is 0 at 0 and at NaN.

    References
    ----------
    `torch.abs` of a difference.
    """
    left, right = floats(left=left, right=right)
    _arguments.same_shape(left=left, right=right)
    difference = left - right
    y = abs(difference)
    sign = (difference > 0).astype(y.dtype) - (difference < 0)

    def pullback(dy: Array) -> tuple[Array, Array]:
        dleft = dy * sign
        return dleft, -dleft

    return y, pullback


# ------------------------------------------------------------------------------ losses


def _reduce(losses: Array, reduction: str) -> Array:
    if reduction == "none":
        return losses
    total = losses.sum()
    if reduction == "sum":
        return total
    with np.errstate(invalid="ignore"):  # the mean of nothing is NaN, as in torch
        return total / total.dtype.type(losses.size)


def _weighted_loss(
    losses: Array, slope: Callable[[Array], Array], weight: Array | None, reduction: str
) -> tuple[Array, Pullback]:
    """Weight and reduce the losses of the elements; `slope` is their own pullback, dy → dx."""
    loss = _reduce(losses if weight is None else losses * weight, reduction)

    def pullback(dy: Array) -> tuple[Array]:
        dx = slope(dy)
        if weight is not None:
            dx = dx * weight
        return (dx / dx.dtype.type(losses.size) if reduction == "mean" else dx,)

    return loss, pullback


def binary_cross_entropy(
    probs: Array, target: Array, weight: Array | None = None, reduction: str = "mean"
) -> tuple[Array, Pullback]:
    """Measure the cross-entropy of probabilities p against targets t, in nats.

    loss = −w · (t · log p + (1 − t) · log(1 − p)), each logarithm clamped below at −100

    dp = w · dy · (p − t) / max((1 − p) · p, 10⁻¹²), then divided by the number of elements for
    'mean'. The clamp is torch's and is not differentiated: p = 0 and t = 1 give loss 100 and
    gradient −10¹².

    Parameters
    ----------
    probs, target : arrays of one shape, values in [0, 1]
    weight : broadcastable to probs, optional
    reduction : 'mean', 'sum' or 'none'

    Returns
    -------
    loss : scalar, or like probs for 'none'
        In nats. n = 12 for each term, plus the number of terms for a reduction.
    pullback : dy → (dprobs,)
        Not differentiable in target and weight. The same bits as torch's.

    Raises
    ------
    ValueError
        A value of probs or target outside [0, 1], or NaN.

    References
    ----------
    PyTorch, ``aten/src/ATen/native/Loss.cpp``.
    """
    probs, target, weight = floats(probs=probs, target=target, weight=weight, optional=("weight",))
    _arguments.same_shape(probs=probs, target=target)
    _arguments.broadcasts_to(probs.shape, weight=weight)
    _arguments.reduction(reduction)
    _arguments.probabilities(probs=probs, target=target)

    log_p = np.maximum(np.log(probs), -100)  # log 0 = −∞ is clamped
    log_q = np.maximum(np.log1p(-probs), -100)
    losses = (target - 1) * log_q - target * log_p

    def slope(dy: Array) -> Array:
        return dy * (probs - target) / np.maximum((1 - probs) * probs, SLOPE_CLAMP)

    return _weighted_loss(losses, slope, weight, reduction)


def binary_cross_entropy_with_logits(
    logits: Array,
    target: Array,
    weight: Array | None = None,
    pos_weight: Array | None = None,
    reduction: str = "mean",
) -> tuple[Array, Pullback]:
    """Measure the cross-entropy of sigmoid(x) against targets t, without forming sigmoid(x).

    loss = w · ((1 − t) · x − (1 + (v − 1) · t) · log sigmoid(x)),
    log sigmoid(x) = min(x, 0) − log(1 + e^−|x|)

    dx = w · dy · ((v·t + 1 − t) · sigmoid(x) − v·t), which is w · dy · (sigmoid(x) − t) for v = 1,
    then divided by the number of elements for 'mean'.

    Parameters
    ----------
    logits, target : arrays of one shape
    weight : broadcastable to logits, optional
        w, of each element.
    pos_weight : broadcastable to logits, optional
        v, of the positive part.
    reduction : 'mean', 'sum' or 'none'

    Returns
    -------
    loss : scalar, or like logits for 'none'
        In nats. n = 25 for each term, plus the number of terms for a reduction.
    pullback : dy → (dlogits,)
        Not differentiable in target and the weights.

    References
    ----------
    PyTorch, ``aten/src/ATen/native/Loss.cpp`` and ``tools/autograd/derivatives.yaml``.
    """
    logits, target, weight, pos_weight = floats(
        logits=logits,
        target=target,
        weight=weight,
        pos_weight=pos_weight,
        optional=("weight", "pos_weight"),
    )
    _arguments.same_shape(logits=logits, target=target)
    _arguments.broadcasts_to(logits.shape, weight=weight, pos_weight=pos_weight)
    _arguments.reduction(reduction)
    log_sigmoid = np.minimum(logits, 0) - np.log1p(np.exp(-abs(logits)))
    if pos_weight is not None:
        log_sigmoid = log_sigmoid * ((pos_weight - 1) * target + 1)
    losses = (1 - target) * logits - log_sigmoid

    def slope(dy: Array) -> Array:
        probs, _ = sigmoid(logits)
        if pos_weight is None:
            return (probs - target) * dy
        positive = pos_weight * target
        return ((positive + 1 - target) * probs - positive) * dy

    return _weighted_loss(losses, slope, weight, reduction)


# Not decorators: the mutation run leaves out what is decorated.
conv2d = operation(conv2d)
max_pool2d = operation(max_pool2d)
linear = operation(linear)
relu = operation(relu)
sigmoid = operation(sigmoid)
l1_distance = operation(l1_distance)
binary_cross_entropy = operation(binary_cross_entropy)
binary_cross_entropy_with_logits = operation(binary_cross_entropy_with_logits)
