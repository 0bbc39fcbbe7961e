"""Conv2d → ReLU → MaxPool2d(2) as one operation, which either layer of the backbone is.

A few images have all their windows copied at once. More are worked on row by row. Row r of the
input, laid out in columns, is a matrix cols[r]. An output row reads KH of them, which lie one under
the other in memory and so are, uncopied, the matrix of its windows. Each row of the input is copied
once, where im2col copies it for every row of the kernel.

A window of the pooling holds four positions of the convolution, (2p + a, 2q + b) for a, b ∈ {0, 1}.
Even and odd positions of a row, b = 0 and 1, have their own columns. Pooling then compares matrices
of each *phase* (a, b) element by element. Otherwise it would pick every second element.
"""

from itertools import product
from typing import Any

import numpy as np

from numpy_siamese import _arguments
from numpy_siamese._arrays import floats
from numpy_siamese._windows import Array, batch_first, batch_innermost, contiguous, sliding
from numpy_siamese.functional._operation import operation
from numpy_siamese.functional._selection import where

PHASES = ((0, 0), (0, 1), (1, 0), (1, 1))
"""(a, b) in the order in which a pooling looks at its window."""

FEW_IMAGES = 4
"""Images up to which the number of calls counts more than what is copied."""

NO_PHASE = np.uint8(len(PHASES))


def conv_relu_pool(
    x: Array, weight: Array, bias: Array, needs_pullback: bool = True
) -> tuple[Array, Any]:
    """Convolve, rectify and pool: max_pool2d(relu(conv2d(x, weight, bias)), 2).

    y[n,o,p,q] = max(0, bias[o] + max_{a,b} Σ_{c,i,j} w[o,c,i,j] · x[n, c, 2p+a+i, 2q+b+j])

    These are the values and gradients of the three operations, for less work. Values may differ
    where infinities meet their opposite in a sum, gradients where there is a NaN. Rectifying and
    adding the bias are monotone. So both may follow the maximum, where a quarter of the elements
    are left. A window without a positive element gets no gradient either way. Pooling drops an odd
    last row or column of the convolution's output. What only these read is not read, and its
    gradient is zero.

    Let X_ρ be the windows of output row ρ as columns, for either b. Then Y_ρ = w X_ρ. The gradient
    dY_ρ is dy where an element of row ρ won its pooling window, and else 0. So
    dw = Σ_{b,ρ} dY_ρ X_ρᵀ. Kernel row i takes input row r to output row r − i, so
    dcols_r = Σ_i w_iᵀ dY_{r−i}. This is one product with up to KH neighbouring dY, which lie one
    under the other as well.

    Parameters
    ----------
    x : (N, C, H, W)
    weight : (O, C, KH, KW)
    bias : (O,)
    needs_pullback : bool
        False leaves out what only the pullback needs.

    Returns
    -------
    y : (N, O, P, Q)
        P = ⌊(H − KH + 1) / 2⌋ and Q likewise; n = C·KH·KW + 1. +0 may stand for −0.
    pullback : dy → (dx, dweight, dbias)
        n = O·KH·KW for dx and N·P·Q for dweight and dbias. When two values of a window are equal up
        to rounding, the gradient may go to either. Where a window holds a NaN, y is NaN, and the
        gradient goes to one phase of it. With ``needs_input_grad=False`` dx is not computed, and
        None is returned in its place. The pullback itself is None if it is not needed.

    Raises
    ------
    TypeError, ValueError
        As conv2d does, and for an image too small for one window.
    """
    x, weight, bias = floats(x=x, weight=weight, bias=bias)
    if x.ndim != 4:
        raise ValueError(f"x must be (N, C, H, W), got shape {x.shape}")
    _arguments.kernels(x, weight, bias)
    (N, _, H, W), (_, _, KH, KW) = x.shape, weight.shape
    P, Q = (H - KH + 1) // 2, (W - KW + 1) // 2
    if P < 1 or Q < 1:
        raise ValueError(f"x {x.shape} and weight {weight.shape} leave no window to pool")
    compute = _at_once if N <= FEW_IMAGES else _row_by_row
    return compute(x, weight, bias, P, Q, needs_pullback)


def _at_once(
    x: Array, weight: Array, bias: Array, P: int, Q: int, needs_pullback: bool
) -> tuple[Array, Any]:
    """Compute conv_relu_pool by one product for all windows, forward, and two backward.

    Arrays are (C, H, N, W) in memory. The input is shifted by each j, and cut to the width V = 2Q
    of the convolution. A shift by i is then one by whole rows of all images. Pooling compares the
    columns of a window first, then its rows. Of equals the first wins.
    """
    (N, C, _, _), (O, _, KH, KW) = x.shape, weight.shape
    V, R = 2 * Q, 2 * P + KH - 1  # R rows are read
    xt = x.transpose(1, 2, 0, 3)  # (C, H, N, W)
    shifted = np.empty((C, KW, R, N, V), x.dtype, like=x)  # c, j, r, n, v
    for j in range(KW):
        shifted[:, j] = xt[:, :R, :, j : j + V]
    windows = sliding(shifted, 2, 2 * P, KH, 1)
    cols = contiguous(windows.reshape(C * KH * KW, 2 * P * N * V))
    kernels = weight.reshape(O, C * KH * KW).copy()

    yt = (kernels @ cols).reshape(O, P, 2, N, Q, 2)
    left, right = yt[..., 0], yt[..., 1]  # (O, P, 2, N, Q)
    row = np.maximum(left, right)
    top, bottom = row[:, :, 0], row[:, :, 1]  # (O, P, N, Q)
    largest = np.maximum(top, bottom)
    largest += bias[:, None, None, None]
    y = np.maximum(largest, 0).transpose(2, 0, 1, 3)
    if not needs_pullback:
        return y, None
    passes, lower, later = ~(largest <= 0), bottom > top, right > left

    def pullback(dy: Array, needs_input_grad: bool = True) -> tuple[Array | None, Array, Array]:
        dlargest = where(passes, contiguous(dy.transpose(1, 2, 0, 3)))
        drow = np.empty_like(row)
        where(~lower, dlargest, out=drow[:, :, 0])
        where(lower, dlargest, out=drow[:, :, 1])
        dyt = np.empty_like(yt)
        where(~later, drow, out=dyt[..., 0])
        where(later, drow, out=dyt[..., 1])
        dys = dyt.reshape(O, 2 * P * N * V)
        dbias = dlargest.reshape(O, P * N * Q).sum(axis=1)
        dweight = (dys @ cols.T).reshape(weight.shape)
        if not needs_input_grad:
            return None, dweight, dbias
        dcols = np.matmul(kernels.T, dys).reshape(C, KH, KW, 2 * P, N, V)
        dshifted = np.zeros_like(shifted)
        for i in range(KH):
            dshifted[:, :, i : i + 2 * P] += dcols[:, i]
        dxt = np.zeros(xt.shape, x.dtype, like=x)
        for j in range(KW):
            dxt[:, :R, :, j : j + V] += dshifted[:, j]
        return dxt.transpose(2, 0, 1, 3), dweight, dbias

    return y, pullback


def _row_by_row(
    x: Array, weight: Array, bias: Array, P: int, Q: int, needs_pullback: bool
) -> tuple[Array, Any]:
    """Compute conv_relu_pool by products for each row, which read rows that were copied once."""
    (N, C, _, _), (O, _, KH, KW) = x.shape, weight.shape
    R, M, L = 2 * P + KH - 1, C * KW, Q * N  # rows read; a cols[b, r] is (M, L)

    xt = batch_innermost(x)  # (C, H, W, N)
    cols = np.empty((2, R, C, KW, Q, N), x.dtype, like=x)  # b, r, c, j, q, n
    for b, j in product((0, 1), range(KW)):
        cols[b, :, :, j] = _every_second(xt, b + j, R, Q)
    rows = cols.reshape(2, R, M, L)
    windows = sliding(rows, 1, 2 * P, KH, 2).reshape(2, 2 * P, KH * M, L)  # the X_ρ
    kernels = weight.transpose(0, 2, 1, 3).copy().reshape(O, KH * M)  # W: (O, i·c·j)

    yt = kernels @ windows[0, 0::2]  # (P, O, Q·N), the largest so far
    candidate = np.empty_like(yt)
    if needs_pullback:
        winner = np.zeros(yt.shape, np.uint8, like=x)
    for k, (a, b) in enumerate(PHASES[1:], start=1):
        np.matmul(kernels, windows[b, a::2], out=candidate)
        if needs_pullback:
            np.maximum(winner, (candidate > yt) * np.uint8(k), out=winner)  # the first of equals
        np.maximum(yt, candidate, out=yt)
    yt += bias[:, None]
    if needs_pullback:
        np.maximum(winner, (yt <= 0) * NO_PHASE, out=winner)
    np.maximum(yt, np.zeros_like(yt[:1]), out=yt)  # an array of zeros is faster than the number
    y = yt.reshape(P, O, Q, N).transpose(3, 1, 0, 2)
    if not needs_pullback:
        return y, None

    def pullback(dy: Array, needs_input_grad: bool = True) -> tuple[Array | None, Array, Array]:
        dyt = contiguous(dy.transpose(2, 1, 3, 0)).reshape(P, O, L)
        dys = np.empty((2, 2 * P, O, L), x.dtype, like=x)  # the dY_ρ
        for k, (a, b) in enumerate(PHASES):
            where(winner == k, dyt, out=dys[b, a::2])
        ones = np.empty(L, x.dtype, like=x)
        ones.fill(1)
        dbias = (dys @ ones).sum(axis=(0, 1))
        dkernels = (windows @ dys.swapaxes(2, 3)).sum(axis=(0, 1))  # (KH·M, O)
        dweight = dkernels.reshape(KH, C, KW, O).transpose(3, 1, 0, 2)
        if not needs_input_grad:
            return None, dweight, dbias
        # the w_i, the last first: (KH, O, M)
        taps = kernels.reshape(O, KH, M).swapaxes(0, 1)[::-1].copy()
        dcols = np.empty_like(cols)
        drows = dcols.reshape(2, R, M, L)
        for r, first in enumerate(range(1 - KH, 2 * P)):  # ρ = first … r read r
            w, dyr = taps[max(0, -first) : 2 * P - first], dys[:, max(0, first) : r + 1]
            np.matmul(w.reshape(len(w) * O, M).T, dyr.reshape(2, len(w) * O, L), out=drows[:, r])
        dxt = np.zeros_like(xt)
        for b, j in product((0, 1), range(KW)):
            pixels = _every_second(dxt, b + j, R, Q)
            pixels += dcols[b, :, :, j]
        return batch_first(dxt), dweight, dbias

    return y, pullback


def _every_second(xt: Array, v: int, R: int, Q: int) -> Array:
    """View x[n, c, r, v + 2q] for all r < R and q < Q: (R, C, Q, N)."""
    return xt[:, :R, v : v + 2 * Q - 1 : 2].swapaxes(0, 1)


conv_relu_pool = operation(conv_relu_pool)  # no decorator: see _operation
