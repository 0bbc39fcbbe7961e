"""Conv2d → ReLU → MaxPool2d(2) as one operation, which either layer of the backbone is.

A window of the pooling holds four positions of the convolution, (2p + a, 2q + b) for a, b ∈ {0, 1}.
The convolution is computed for one such *phase* (a, b) after the other, each a matrix (O, P·Q·N):
pooling then compares four matrices element by element, where it would otherwise pick every second
element of every second row. For the same reason the input's even and odd rows and columns are taken
apart first: what phases read, and what they give back, then lies in line.
"""

from typing import Any

import numpy as np

from numpy_siamese import _arguments
from numpy_siamese._selection import where
from numpy_siamese._windows import Array, batch_first, batch_innermost

PHASES = ((0, 0), (0, 1), (1, 0), (1, 1))
"""(a, b) in the order in which a pooling looks at its window."""

NO_PHASE = np.uint8(len(PHASES))

SMALL_PRODUCT = 10**6
"""Up to so many multiplications OpenBLAS takes a kernel made for small matrices."""


def conv_relu_pool(
    x: Array, weight: Array, bias: Array, needs_pullback: bool = True
) -> tuple[Array, Any]:
    """Convolve, rectify and pool: max_pool2d(relu(conv2d(x, weight, bias)), 2).

    y[n,o,p,q] = max(0, b[o] + max_{a,b} Σ_{c,i,j} w[o,c,i,j] · x[n, c, 2p+a+i, 2q+b+j])

    The values and gradients of the three operations, for less work. Rectifying and adding the bias
    are monotone, so both may follow the maximum, where a quarter of the elements are left; a window
    without a positive element gets no gradient either way. What only an odd last row or column of
    the convolution's output reads, which pooling drops, is not read; its gradient is zero.

    With the windows of phase (a, b) as the columns of X_ab, Y_ab = W X_ab. The gradient dY_ab is
    dy where phase (a, b) won and else 0, and dW = Σ_ab dY_ab X_abᵀ. Row i of the kernel at phase a
    reads row u = a + i of what a pooling window reads, so that row's gradient is Σ_{a+i=u} W_iᵀ
    dY_ab: a phase alone for the first and the last u, both stacked for those between.

    Parameters
    ----------
    x : (N, C, H, W)
    weight : (O, C, KH, KW)
    bias : (O,)
    needs_pullback : bool
        False leaves out what only the pullback needs, a tenth of the time.

    Returns
    -------
    y : (N, O, P, Q)
        P = ⌊(H − KH + 1) / 2⌋ and Q likewise; n = C·KH·KW + 1. +0 may stand for −0.
    pullback : dy → (dx, dweight, dbias)
        n = O·KH·KW for dx and N·P·Q for dweight and dbias. Of two sums that differ by less than
        their rounding errors, either may have won. With ``needs_input_grad=False`` dx is not
        computed and None is returned in its place. Where a window holds a NaN, y is NaN, and the
        gradient goes to one phase of it. None if it is not needed.

    Raises
    ------
    TypeError, ValueError
        As conv2d does, and for an image too small for one window.
    """
    _arguments.same_float(x=x)
    if x.ndim != 4:
        raise ValueError(f"x must be (N, C, H, W), got shape {x.shape}")
    positions = _arguments.conv2d_windows(x, weight, bias, 1, 0, 1, 1).positions
    P, Q = (n // 2 for n in positions)
    if P == 0 or Q == 0:
        raise ValueError(f"x {x.shape} and weight {weight.shape} leave no window to pool")
    (N, C, H, W), (O, _, KH, KW) = x.shape, weight.shape
    K, L = C * KW, P * Q * N

    parts = _split(batch_innermost(x))
    cols = np.empty_like(parts, shape=(2, KH + 1, C, KW, P, Q, N))  # b, u, c, j, p, q, n
    for b, u, j in np.ndindex(2, KH + 1, KW):
        cols[b, u, :, j] = _read(parts, u, b + j, P, Q)
    cols = cols.reshape(2, KH + 1, K, L)
    columns = [cols[b, a : a + KH].reshape(KH * K, L) for a, b in PHASES]  # the X_ab: no copies
    kernels = weight.transpose(0, 2, 1, 3).reshape(O, KH * K)  # W: (O, i·c·j)

    yt = kernels @ columns[0]  # (O, P·Q·N), the largest so far
    winner = np.zeros_like(yt, np.uint8)
    candidate = np.empty_like(yt)
    for k, X in enumerate(columns[1:], start=1):
        np.matmul(kernels, X, out=candidate)
        if needs_pullback:
            winner = np.maximum(winner, (candidate > yt) * np.uint8(k))  # of equals the first wins
        np.maximum(yt, candidate, out=yt)
    yt += bias[:, None]
    if needs_pullback:
        winner = np.maximum(winner, (yt <= 0) * NO_PHASE)
    np.maximum(yt, np.zeros_like(yt[:1]), out=yt)  # an array of zeros is faster than the number
    y = batch_first(yt.reshape(O, P, Q, N))
    if not needs_pullback:
        return y, None

    def pullback(dy: Array, needs_input_grad: bool = True) -> tuple[Array | None, Array, Array]:
        dyt = batch_innermost(_arguments.cotangent(dy, y)).reshape(O, L)
        dbias = where(winner != NO_PHASE, dyt) @ np.ones_like(dyt[0])
        dkernels = np.zeros_like(weight, shape=(KH * K, O))
        w = weight.transpose(2, 1, 3, 0).reshape(KH, K, O)  # the W_iᵀ
        w_between = np.concatenate([w[1:], w[:-1]], axis=2)  # (W_uᵀ, W_{u−1}ᵀ) for 0 < u < KH
        dys = np.empty_like(dyt, shape=(2, O, L))  # dY_0b and dY_1b
        dcols, dparts = np.empty_like(cols[0]), np.zeros_like(parts)
        for b in range(2):
            for a in range(2):
                k = PHASES.index((a, b))
                where(winner == k, dyt, out=dys[a])
                dkernels += _outer(columns[k], dys[a], P)
            if not needs_input_grad:
                continue
            np.matmul(w[0], dys[0], out=dcols[0])
            np.matmul(w_between, dys.reshape(2 * O, L), out=dcols[1:-1])
            np.matmul(w[-1], dys[1], out=dcols[-1])
            for u, j in np.ndindex(KH + 1, KW):
                grad = dcols[u].reshape(C, KW, P, Q, N)[:, j]
                _read(dparts, u, b + j, P, Q)[...] += grad
        dweight = dkernels.reshape(KH, C, KW, O).transpose(3, 1, 0, 2)
        if not needs_input_grad:
            return None, dweight, dbias
        return batch_first(_join(dparts, H, W)), dweight, dbias

    return y, pullback


def _outer(X: Array, dY: Array, rows: int) -> Array:
    """Return X dYᵀ; of few channels as the sum over rows of positions, each a small product."""
    (K, L), O = X.shape, len(dY)
    if K * O * (L // rows) > SMALL_PRODUCT:
        return X @ dY.T
    X, dY = X.reshape(K, rows, L // rows), dY.reshape(O, rows, L // rows)
    return (X.swapaxes(0, 1) @ dY.transpose(1, 2, 0)).sum(axis=0)


def _split(xt: Array) -> Array:
    """Take even and odd rows and columns apart: (C, H, W, N) → (2, 2, C, ⌈H/2⌉, ⌈W/2⌉, N)."""
    C, H, W, N = xt.shape
    parts = np.empty_like(xt, shape=(2, 2, C, (H + 1) // 2, (W + 1) // 2, N))
    for a, b in PHASES:
        parts[a, b, :, : (H - a + 1) // 2, : (W - b + 1) // 2] = xt[:, a::2, b::2]
    return parts


def _join(parts: Array, H: int, W: int) -> Array:
    """Put them together again: (2, 2, C, ⌈H/2⌉, ⌈W/2⌉, N) → (C, H, W, N)."""
    xt = np.empty_like(parts, shape=(parts.shape[2], H, W, parts.shape[5]))
    for a, b in PHASES:
        xt[:, a::2, b::2] = parts[a, b, :, : (H - a + 1) // 2, : (W - b + 1) // 2]
    return xt


def _read(parts: Array, u: int, v: int, P: int, Q: int) -> Array:
    """View x[:, u + 2p, v + 2q] for all p < P and q < Q: (C, P, Q, N)."""
    return parts[u % 2, v % 2, :, u // 2 : u // 2 + P, v // 2 : v // 2 + Q]
