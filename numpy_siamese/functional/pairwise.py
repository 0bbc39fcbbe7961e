"""Logits of all pairs of two batches of embeddings."""

from collections.abc import Iterator

import numpy as np

from numpy_siamese import _arguments
from numpy_siamese._arrays import floats
from numpy_siamese.functional._operation import Pullback, operation

Array = np.ndarray

BLOCK = 2**16
"""Differences that are held at a time: as many as the cache of a core has room for."""


def pairwise_l1_logits(
    left: Array, right: Array, weight: Array, bias: Array | None = None
) -> tuple[Array, Pullback]:
    """Weigh the distances of all pairs: y[i,j] = Σₑ w[e] · |left[i,e] − right[j,e]| + b.

    dleft[i,e] = w[e] · Σⱼ dy[i,j] · sign(left[i,e] − right[j,e])

    dright[j,e] = −w[e] · Σᵢ dy[i,j] · sign(left[i,e] − right[j,e])

    dw[e] = Σᵢⱼ dy[i,j] · |left[i,e] − right[j,e]|,  db = Σᵢⱼ dy[i,j]

    The sign is 0 at 0 and at NaN. It is what `linear` makes of `l1_distance`, for every pair. The
    N·M·E differences are computed a block at a time, and again in the pullback: none is kept.

    Parameters
    ----------
    left : array (N, E)
    right : array (M, E)
    weight : array (1, E)
    bias : array (1,), optional

    Returns
    -------
    y : array (N, M)
        n = E + 2.
    pullback : dy → (dleft, dright, dweight, dbias)
        n = M for dleft, N for dright, N·M + 1 for dweight, N·M for dbias.

    References
    ----------
    `scipy.spatial.distance.cdist` with the metric 'cityblock' and weights; `torch.cdist` with p = 1
    has none.

    Examples
    --------
    >>> import numpy as np
    >>> left, right = np.array([[1.0, 5.0]]), np.array([[3.0, 4.0], [1.0, 1.0]])
    >>> y, pullback = pairwise_l1_logits(left, right, np.array([[1.0, 2.0]]))
    >>> y
    array([[4., 8.]])
    >>> dleft, dright, dweight, _ = pullback(np.ones((1, 2)))
    >>> dleft
    array([[-1.,  4.]])
    >>> dweight
    array([[2., 5.]])
    """
    left, right, weight, bias = floats(
        left=left, right=right, weight=weight, bias=bias, optional=("bias",)
    )
    _arguments.pairwise(left, right, weight, bias)
    (N, E), M = left.shape, len(right)
    w = weight[0].copy()  # (E,), for a BLAS that reads no negative strides
    y = np.empty((N, M), left.dtype, like=left)
    for rows, difference in _differences(left, right):
        distance = np.absolute(difference, out=difference)
        y[rows] = distance @ w
    if bias is not None:
        y += bias

    def pullback(dy: Array) -> tuple[Array, Array, Array, Array | None]:
        dy = dy.copy()  # row by row, for the same BLAS
        dleft = np.empty((N, E), left.dtype, like=left)
        dright, dweight = (np.zeros((n, E), left.dtype, like=left) for n in (M, 1))
        for rows, difference in _differences(left, right):
            dy_rows = dy[rows]  # (B, M)
            sign = _sign(difference)  # (B, M, E)
            dleft[rows] = (dy_rows[:, None] @ sign)[:, 0]
            dright -= (dy_rows.T[:, None] @ sign.swapaxes(0, 1))[:, 0]
            distance = np.absolute(difference, out=difference)
            dweight += dy_rows.reshape(1, -1) @ distance.reshape(dy_rows.size, E)
        dleft *= weight
        dright *= weight
        dbias = None if bias is None else dy.sum().reshape(1)
        return dleft, dright, dweight, dbias

    return y, pullback


def _differences(left: Array, right: Array) -> Iterator[tuple[slice, Array]]:
    """Yield rows of `left`, and all their differences to `right`, to be used up: (B, M, E)."""
    (N, E), M = left.shape, len(right)
    step = max(1, BLOCK // max(1, M * E))
    buffer = np.empty((min(step, N), M, E), left.dtype, like=left)
    for start in range(0, N, step):
        rows = slice(start, start + step)
        part = left[rows, None]  # (B, 1, E)
        yield rows, np.subtract(part, right, out=buffer[: len(part)])


def _sign(difference: Array) -> Array:
    """Return −1, 0 or 1. `np.sign` takes six times as long, and is NaN at NaN."""
    above, below = ((difference > 0).view(np.int8), (difference < 0).view(np.int8))
    return (above - below).astype(difference.dtype)


pairwise_l1_logits = operation(pairwise_l1_logits)  # no decorator: see _operation
