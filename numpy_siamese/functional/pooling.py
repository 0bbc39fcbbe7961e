"""Pooling: the largest of each window."""

import numpy as np

from numpy_siamese import _arguments
from numpy_siamese._arguments import IntOrPair
from numpy_siamese._arrays import beside, floats
from numpy_siamese._windows import Array, batch_first, batch_innermost
from numpy_siamese.functional._operation import Pullback, operation
from numpy_siamese.functional._selection import where


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

    A window is scanned in row-major order. The first maximum wins a tie. The last NaN wins over
    all. Padding is −∞ and never wins. A window of −∞ alone goes to its first pixel inside x.

    Parameters
    ----------
    x : (N, C, H, W) or (C, H, W)
    kernel_size, padding, dilation : int or (rows, columns)
        padding is at most half of kernel_size.
    stride : int or (rows, columns), default kernel_size
    ceil_mode : bool
        Round the number of windows up instead of down. A window starts inside x or its padding.

    Returns
    -------
    y : (N, C, P, Q) or (C, P, Q)
        Exact. P = ⌊(H + 2·padding − dilation·(KH − 1) − 1) / stride⌋ + 1.
    pullback : dy → (dx,)
        Exact where windows do not overlap. Where they do, a pixel adds what it won, in row-major
        order of the windows. Torch does the same, so the bits are the same.

    References
    ----------
    PyTorch, ``aten/src/ATen/native/cpu/MaxPoolKernel.cpp``.

    Examples
    --------
    >>> import numpy as np
    >>> y, pullback = max_pool2d(np.array([[[1.0, 2.0], [4.0, 3.0]]]), 2)
    >>> y
    array([[[4.]]])
    >>> pullback(np.ones_like(y))  # the gradient goes where the maximum was
    (array([[[0., 0.],
            [1., 0.]]]),)
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
    first = windows.first_inside()[..., None].astype(offset)  # (P, Q, 1)
    winner = beside(x, first, "first", "x")
    for k, view in enumerate(views[1:], start=1):
        larger = np.maximum(view, yt)  # of equals the second argument: the sign of a tied zero
        winner = np.maximum(winner, (larger != yt) * offset(k))
        yt = larger
    is_nan = np.isnan(yt)
    if is_nan.any():
        nans = [np.isnan(view) * offset(k) for k, view in enumerate(views)]
        last_nan = np.max(np.stack(nans), axis=0)
        winner = np.where(is_nan, last_nan, winner)
    y = batch_first(yt)
    y = y if x.ndim == 4 else y[0]
    padded_shape = xt.shape

    def pullback(dy: Array) -> tuple[Array]:
        dyt = batch_innermost(_arguments.images(dy))
        dxt = np.zeros(padded_shape, dyt.dtype, like=dyt)
        offsets = list(enumerate(windows.views(dxt)))
        for k, view in reversed(offsets):  # a later offset reads from an earlier window
            view += where(winner == k, dyt)
        return (batch_first(windows.crop(dxt)).reshape(x.shape),)

    return y, pullback


max_pool2d = operation(max_pool2d)  # no decorator: see _operation
