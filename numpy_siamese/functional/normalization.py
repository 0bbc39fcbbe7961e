"""Normalisation of channels over a batch."""

from collections.abc import Iterator

import numpy as np

from numpy_siamese import _arguments
from numpy_siamese._arrays import floats
from numpy_siamese.functional._operation import Pullback, operation

Array = np.ndarray

BLOCK = 2**16
"""Numbers that are worked on at a time: as many as the cache of a core has room for."""


def batch_norm(
    x: Array,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None = None,
    bias: Array | None = None,
    training: bool = False,
    eps: float = 1e-5,
) -> tuple[Array, Pullback]:
    """Give each channel a mean of 0 and a variance of 1, then scale it: y = w · (x − μ) · s + b.

    s = 1 / √(σ² + ε). In training μ and σ² are mean and variance of the batch, else the running
    ones. With m[·] for the mean over a channel's R numbers, and c = x − μ,

    dx = w · s · (dy − m[dy] − c · s² · m[dy · c]) in training, else w · s · dy

    dw = s · Σ dy · c,  db = Σ dy

    Parameters
    ----------
    x : array (N, C, …)
    running_mean, running_var : arrays (C,)
        Read outside of training. In training they may be None, and stay as they are: see
        `running_statistics`.
    weight, bias : arrays (C,), optional
    training : bool
    eps : float
        ε, added to the variance.

    Returns
    -------
    y : like x
        n = R + 8.
    pullback : dy → (dx, dweight, dbias)
        n = 6 · R + 32 for dx, 2 · R + 8 for dweight, R for dbias.

    Raises
    ------
    ValueError
        In training a channel has fewer than two numbers, or ε is not above 0.

    References
    ----------
    S. Ioffe, C. Szegedy, *Batch Normalization*, 2015. `torch.nn.functional.batch_norm` changes the
    running statistics in training. Here no operation changes an argument.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[1.0], [3.0]])
    >>> y, pullback = batch_norm(x, None, None, training=True, eps=3.0)
    >>> y
    array([[-0.5],
           [ 0.5]])
    >>> pullback(np.array([[1.0], [0.0]]))[0]
    array([[ 0.1875],
           [-0.1875]])
    """
    x, running_mean, running_var, weight, bias = floats(
        x=x,
        running_mean=running_mean,
        running_var=running_var,
        weight=weight,
        bias=bias,
        optional=("running_mean", "running_var", "weight", "bias"),
    )
    _arguments.channels(x, running_mean, running_var, weight, bias, training)
    eps = _arguments.finite("eps", eps)
    if training and eps <= 0:
        raise ValueError(f"eps must be above 0 in training, got {eps}")
    rows = _rows(x)
    mean, variance = _statistics(rows) if training else (running_mean, running_var)
    inverse = 1 / np.sqrt(variance + x.dtype.type(eps))  # (C,)
    scale = inverse if weight is None else inverse * weight
    y = np.empty(rows.shape, x.dtype, like=x)
    for part, centred in _centred(rows, mean):
        np.multiply(centred, scale[part, None], out=y[part])
        if bias is not None:
            y[part] += bias[part, None]

    def pullback(dy: Array) -> tuple[Array, Array | None, Array | None]:
        dy_rows = _rows(dy)
        dx = np.empty(rows.shape, x.dtype, like=x)
        dbias, dcentred = np.empty_like(mean), np.empty_like(mean)
        R = x.dtype.type(rows.shape[1])
        for part, centred in _centred(rows, mean):
            dbias[part] = dy_rows[part].sum(axis=1)
            dcentred[part] = _dots(dy_rows[part], centred)
            dx_part = np.multiply(dy_rows[part], scale[part, None], out=dx[part])
            if training:
                slope = inverse[part] * inverse[part] * dcentred[part] / R * scale[part]
                dx_part -= np.multiply(centred, slope[:, None], out=centred)
                dx_part -= (dbias[part] / R * scale[part])[:, None]
        dweight = None if weight is None else dcentred * inverse
        return _images(dx, x), dweight, None if bias is None else dbias

    return _images(y, x), pullback


def running_statistics(
    x: Array, running_mean: Array, running_var: Array, momentum: float = 0.1
) -> tuple[Array, Array]:
    """Return the running statistics after a batch: old · (1 − momentum) + of the batch · momentum.

    Parameters
    ----------
    x : array (N, C, …)
    running_mean, running_var : arrays (C,)
    momentum : float
        What counts of the batch, between 0 and 1.

    Returns
    -------
    mean, variance : arrays (C,)
        New arrays. The variance of the batch is the unbiased one, Σ (x − μ)² / (R − 1).

    Raises
    ------
    ValueError
        A channel has fewer than two numbers.

    References
    ----------
    `torch.nn.functional.batch_norm`, which writes them into its arguments.
    """
    x, running_mean, running_var = floats(x=x, running_mean=running_mean, running_var=running_var)
    _arguments.channels(x, running_mean, running_var, None, None, training=True)
    momentum = _arguments.finite("momentum", momentum)
    rows = _rows(x)
    R = rows.shape[1]
    new, old = x.dtype.type(momentum), x.dtype.type(1 - momentum)
    with np.errstate(under="ignore"):  # as in an operation
        mean, variance = _statistics(rows)
        unbiased = variance * x.dtype.type(R / (R - 1))
        return running_mean * old + mean * new, running_var * old + unbiased * new


def _statistics(rows: Array) -> tuple[Array, Array]:
    """Return mean and variance of rows (C, R): (C,) each.

    The variance is that of what is left without the mean: E[x²] − E[x]² would lose the digits of a
    large mean.
    """
    R = rows.dtype.type(rows.shape[1])
    mean = rows.sum(axis=1) / R
    variance = np.empty_like(mean)
    for part, centred in _centred(rows, mean):
        variance[part] = _dots(centred, centred) / R
    return mean, variance


def _centred(rows: Array, mean: Array) -> Iterator[tuple[slice, Array]]:
    """Yield some channels, and their rows without the mean, to be used up: (B, R)."""
    C, R = rows.shape
    step = max(1, BLOCK // max(1, R))
    buffer = np.empty((min(step, C), R), rows.dtype, like=rows)
    for start in range(0, C, step):
        part = slice(start, start + step)
        some = rows[part]  # (B, R)
        yield part, np.subtract(some, mean[part, None], out=buffer[: len(some)])


def _dots(a: Array, b: Array) -> Array:
    """Return the inner product of each row of two (C, R): (C,)."""
    return (a[:, None] @ b[:, :, None])[:, 0, 0]


def _rows(x: Array) -> Array:
    """Return the channels of (N, C, …) as rows (C, R), the batch innermost in memory."""
    rows = x.transpose(*range(1, x.ndim), 0).reshape(x.shape[1], -1)
    return rows if rows.flags.c_contiguous else rows.copy()


def _images(rows: Array, x: Array) -> Array:
    """Return rows (C, R) in the shape of x."""
    return rows.reshape(*x.shape[1:], len(x)).transpose(-1, *range(x.ndim - 1))


batch_norm = operation(batch_norm)  # no decorator: see _operation
