"""The affine map of a fully connected layer."""

import math

import numpy as np

from numpy_siamese import _arguments
from numpy_siamese._arrays import floats
from numpy_siamese.functional._operation import Pullback, operation

Array = np.ndarray


def linear(x: Array, weight: Array, bias: Array | None = None) -> tuple[Array, Pullback]:
    """Apply an affine map: y = x wᵀ + b.

    dx = dy w,  dw = dyᵀ x,  db = Σ dy. Sums run over all leading axes of x.

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

    Examples
    --------
    >>> import numpy as np
    >>> x, weight, bias = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.array([5.0])
    >>> y, pullback = linear(x, weight, bias)
    >>> y  # 1·3 + 2·4 + 5
    array([[16.]])
    >>> pullback(np.ones((1, 1)))
    (array([[3., 4.]]), array([[1., 2.]]), array([1.]))
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


linear = operation(linear)  # no decorator: see _operation
