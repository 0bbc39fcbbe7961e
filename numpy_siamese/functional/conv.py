"""Convolution of images with kernels."""

import numpy as np

from numpy_siamese import _arguments
from numpy_siamese._arguments import IntOrPair
from numpy_siamese._arrays import floats
from numpy_siamese._windows import Array, batch_first, batch_innermost
from numpy_siamese.functional._operation import Pullback, operation


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

    Here c runs over the input channels of o's group. Let the windows of x be the columns of a
    matrix X (C·KH·KW, P·Q·N). Then Y = w X + b, dw = dY Xᵀ, db = Σ dY and dX = wᵀ dY. Each entry of
    dX is added to the input pixel that it was copied from.

    Parameters
    ----------
    x : (N, C, H, W) or (C, H, W)
    weight : (O, C/groups, KH, KW)
    bias : (O,), optional
    stride, dilation : int or (rows, columns)
    padding : int, (rows, columns), 'valid' (none) or 'same' (P, Q = H, W; stride 1 only)
        Zeros on both sides. 'same' puts an odd one at the end, as torch does.
    groups : int
        Divides C and O. Group g of the outputs reads group g of the inputs.

    Returns
    -------
    y : (N, O, P, Q) or (O, P, Q)
        P = ⌊(H + 2·padding − dilation·(KH − 1) − 1) / stride⌋ + 1; n = C/groups·KH·KW + 1.
    pullback : dy → (dx, dweight, dbias)
        n = O/groups·KH·KW for dx and N·P·Q for dweight and dbias.

    References
    ----------
    `torch.nn.functional.conv2d`; the matrix form is im2col (Chellapilla et al. 2006).

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> y, pullback = conv2d(x, np.ones((1, 1, 2, 2)))
    >>> y[0, 0]
    array([[ 8., 12.],
           [20., 24.]])
    >>> dx, dweight, dbias = pullback(np.ones_like(y))
    >>> dx[0, 0]  # how many windows read each pixel
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    >>> dweight[0, 0]
    array([[ 8., 12.],
           [20., 24.]])
    >>> print(dbias)
    None
    """
    x, weight, bias = floats(x=x, weight=weight, bias=bias, optional=("bias",))
    images = _arguments.images(x)
    windows = _arguments.conv2d_windows(images, weight, bias, stride, padding, dilation, groups)
    (N, C), O = images.shape[:2], weight.shape[0]
    (KH, KW), (P, Q) = windows.kernel, windows.positions

    xt = windows.pad(batch_innermost(images), 0)  # (C, H + padding, W + padding, N)
    cols = np.empty((C, KH * KW, P, Q, N), xt.dtype, like=xt)
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
        dxt = np.zeros(padded_shape, dcols.dtype, like=dcols)
        for k, view in enumerate(windows.views(dxt)):
            view += dcols[:, k]
        dx = batch_first(windows.crop(dxt))
        return dx.reshape(x.shape), dweight, dbias

    return y, pullback


conv2d = operation(conv2d)  # no decorator: see _operation
