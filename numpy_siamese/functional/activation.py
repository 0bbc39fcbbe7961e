"""Activations: what follows an affine map, element by element."""

import numpy as np

from numpy_siamese._arrays import floats
from numpy_siamese.functional._operation import Pullback, operation
from numpy_siamese.functional._selection import where

Array = np.ndarray


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

    Examples
    --------
    >>> import numpy as np
    >>> y, pullback = relu(np.array([-1.0, 2.0]))
    >>> y, pullback(np.array([5.0, 5.0]))
    (array([0., 2.]), (array([0., 5.]),))
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
        n = 10 for y while e⁻ˣ is finite. Beyond (x < −88.7 in float32, −709.7 in float64) y = 0, as
        in torch. Given y and dy, dx is torch's bit for bit.

    References
    ----------
    `torch.sigmoid`.

    Examples
    --------
    >>> import numpy as np
    >>> y, pullback = sigmoid(np.array([0.0]))
    >>> y, pullback(np.ones(1))
    (array([0.5]), (array([0.25]),))
    """
    (x,) = floats(x=x)
    with np.errstate(over="ignore"):  # e⁻ˣ = ∞ gives the right limit, y = 0
        y = 1 / (1 + np.exp(-x))

    def pullback(dy: Array) -> tuple[Array]:
        return (dy * (1 - y) * y,)

    return y, pullback


relu = operation(relu)  # no decorator: see _operation
sigmoid = operation(sigmoid)
